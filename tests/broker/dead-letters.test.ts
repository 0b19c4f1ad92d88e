import { describe, expect, it } from "vitest";

import type { Sink } from "../support/http-sink.ts";
import { eventually, openSink, startTestBroker, type TestBroker } from "./test-broker.ts";

describe("dead letters", () => {
  it("are listed by the SDK with the message and the last response", async () => {
    const broker = await startTestBroker();
    const sink = await openSink(() => ({ status: 500, body: "no", headers: { "x-a": "b" } }));
    await broker.client.publishJSON({
      url: sink.url,
      body: { a: 1 },
      retries: 0,
      label: "l",
      headers: { "test-header": "v" },
    });
    const [letter] = await readLetters(broker, 1);

    expect(letter).toMatchObject({
      dlqId: expect.stringMatching(/^\d+-\d+$/),
      url: sink.url,
      method: "POST",
      header: { "Content-Type": ["application/json"], "Test-Header": ["v"] },
      body: '{"a":1}',
      maxRetries: 0,
      label: "l",
      labels: ["l"],
      responseStatus: 500,
      responseBody: "no",
      callerIP: "127.0.0.1",
    });
    expect(letter?.header).not.toHaveProperty("Upstash-Telemetry-Sdk");
    const response = await broker.request(`/v2/dlq/${letter?.dlqId}`);
    expect(await response.json()).toMatchObject({ dlqId: letter?.dlqId, responseHeader: { "X-A": ["b"] } });
  });

  it("keep bytes that are no text as base64", async () => {
    const broker = await startTestBroker();
    const sink = await openSink(() => ({ status: 500 }));
    await broker.client.publish({ url: sink.url, body: new Blob([new Uint8Array([255])]), retries: 0 });
    const [letter] = await readLetters(broker, 1);
    expect(letter).toMatchObject({ bodyBase64: "/w==" });
    expect(letter).not.toHaveProperty("body");
  });

  it("are retried as a new message with the same content", async () => {
    let status = 500;
    const broker = await startTestBroker();
    const sink = await openSink(() => ({ status }));
    const { messageId } = await broker.client.publish({ url: sink.url, body: "again", retries: 0 });
    await sink.next();
    const [letter] = await readLetters(broker, 1);
    status = 200;

    const { responses, cursor } = await broker.client.dlq.retry(letter?.dlqId ?? "");
    expect(cursor).toBeUndefined();
    expect(responses).toEqual([{ messageId: expect.stringMatching(/^msg_/) }]);
    const delivery = await sink.next();
    expect(delivery.headers["upstash-message-id"]).toBe(responses[0]?.messageId);
    expect(delivery.headers["upstash-message-id"]).not.toBe(messageId);
    expect(delivery.headers["upstash-retried"]).toBe("0");
    expect(delivery.body.toString()).toBe("again");
    await readLetters(broker, 0);
  });

  it("are deleted one by one, the second time with 404", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 2);
    const [first] = await readLetters(broker, 2);
    await expect(broker.client.dlq.delete(first?.dlqId ?? "")).resolves.toEqual({ deleted: 1 });
    await expect(broker.client.dlq.delete(first?.dlqId ?? "")).rejects.toMatchObject({ status: 404 });
    await readLetters(broker, 1);
  });

  it("are paged, newest first", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 5);
    const all = await readLetters(broker, 5);

    const ids: (string | undefined)[] = [];
    let cursor: string | undefined;
    do {
      const page = await broker.client.dlq.listMessages({ count: 2, ...(cursor ? { cursor } : {}) });
      ids.push(...page.messages.map((letter) => letter.dlqId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(ids).toEqual(all.map((letter) => letter.dlqId));
  });

  it("are deleted and retried in bulk, a page at a time", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 5);
    await readLetters(broker, 5);

    const { deleted, cursor } = await broker.client.dlq.delete({ all: true, count: 2 });
    expect({ deleted, more: cursor !== undefined }).toEqual({ deleted: 2, more: true });
    const retried = await broker.client.dlq.retry({ all: true });
    expect(retried.responses).toHaveLength(3);
    expect(retried.cursor).toBeUndefined();
  });

  it("are filtered as documented", async () => {
    const broker = await startTestBroker();
    const [a, b] = [await openSink(() => ({ status: 500 })), await openSink(() => ({ status: 404 }))];
    await kill(broker, a, 2);
    await broker.client.publish({ url: `${b.url}/x?a=1,2`, retries: 0, label: ["red", "blue"] });
    const letters = await readLetters(broker, 3);
    const count = async (filter: Record<string, unknown>) =>
      (await broker.client.dlq.listMessages({ filter })).messages.length;

    expect(await count({ url: a.url })).toBe(2);
    expect(await count({ url: [a.url, `${b.url}/x?a=1,2`] })).toBe(3);
    expect(await count({ label: ["green", "blue"] })).toBe(1);
    expect(await count({ responseStatus: [404, 418] })).toBe(1);
    expect(await count({ responseStatus: 500, label: "red" })).toBe(0);
    expect(await count({ messageId: letters[0]?.messageId })).toBe(1);
    expect(await count({ callerIp: "127.0.0.1" })).toBe(3);
    expect(await count({ queueName: "q" })).toBe(0);
    expect(await count({ fromDate: new Date(Date.now() + 60_000) })).toBe(0);
    expect(await count({ toDate: Date.now() + 60_000 })).toBe(3);
    const byIds = await broker.client.dlq.listMessages({ dlqIds: letters.slice(1).map((letter) => letter.dlqId) });
    expect(byIds.messages).toHaveLength(2);
    await expect(count({ colour: "red" })).rejects.toMatchObject({ status: 400 });
    expect((await broker.request("/v2/dlq?colour=red", { method: "DELETE" })).status).toBe(400);
    await readLetters(broker, 3);
  });

  it("are deleted by the ids in the body of a DELETE, and no others", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 3);
    const [first] = await readLetters(broker, 3);
    const remove = async (dlqIds: unknown[]) => {
      const response = await broker.request("/v2/dlq", { method: "DELETE", body: JSON.stringify({ dlqIds }) });
      return response.json();
    };
    expect(await remove([])).toEqual({ deleted: 0 });
    expect(await remove([first?.dlqId])).toEqual({ deleted: 1 });
    await readLetters(broker, 2);
  });
});

type Letters = Awaited<ReturnType<TestBroker["client"]["dlq"]["listMessages"]>>["messages"];

/** Waits until there are so many dead letters. */
async function readLetters({ client }: TestBroker, count: number): Promise<Letters> {
  await eventually(async () => (await client.dlq.listMessages()).messages.length).toBe(count);
  return (await client.dlq.listMessages()).messages;
}

async function kill({ client }: TestBroker, sink: Sink, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => client.publish({ url: sink.url, retries: 0 })));
}
