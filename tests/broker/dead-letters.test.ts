import { describe, expect, it } from "vitest";

import type { Sink } from "../support/http-sink.ts";
import { createManualClock } from "../support/manual-clock.ts";
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

  it("are listed in pages of some megabytes", async () => {
    const broker = await startTestBroker({ limits: { messageBytesMax: 10 * 1024 * 1024 } });
    const sink = await openSink(() => ({ status: 500 }));
    const body = "x".repeat(5 * 1024 * 1024);
    for (let count = 0; count < 4; count += 1) await broker.client.publish({ url: sink.url, retries: 0, body });
    await eventually(async () => (await broker.client.logs({ filter: { state: "FAILED" } })).logs.length).toBe(4);

    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await broker.client.dlq.listMessages(cursor ? { cursor } : {});
      sizes.push(page.messages.length);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([2, 2]);
  });

  it("are retried with the settings that the request gives anew", async () => {
    let status = 500;
    const clock = createManualClock();
    const broker = await startTestBroker({ clock });
    const sink = await openSink(() => ({ status }));
    await broker.client.publish({ url: sink.url, body: "b", retries: 0, label: "old", headers: { "X-A": "a" } });
    const [letter] = await readLetters(broker, 1);
    status = 200;
    const response = await broker.request(`/v2/dlq/retry/${letter?.dlqId}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "upstash-retries": "2",
        "upstash-delay": "30s",
        "upstash-label": "new",
        "upstash-timeout": "7s",
        "upstash-forward-x-b": "b",
      },
    });
    expect(response.status).toBe(201);
    const answer: { messageId: string } = await response.json();
    expect(await broker.client.messages.get(answer.messageId)).toMatchObject({
      maxRetries: 2,
      timeout: 7000,
      notBefore: clock.nowMs() + 30_000,
      labels: ["new"],
      header: { "X-A": ["a"], "X-B": ["b"] },
      body: "b",
    });
    await sink.next();
    await clock.advance(30_000);
    const delivery = await sink.next();
    expect(delivery.headers).toMatchObject({ "x-a": "a", "x-b": "b", "upstash-message-id": answer.messageId });
    // The type of the message's own body, not of the request's.
    expect(delivery.headers["content-type"]).toBe("text/plain;charset=UTF-8");
  });

  it("that are gone are not found, and then none is retried", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 2);
    const [first, second] = await readLetters(broker, 2);
    await broker.client.dlq.delete(first?.dlqId ?? "");
    const retry = (path: string) => broker.request(path, { method: "POST" });
    expect((await retry(`/v2/dlq/retry/${first?.dlqId}`)).status).toBe(404);
    expect((await retry(`/v2/dlq/retry?dlqIds=${first?.dlqId},${second?.dlqId}`)).status).toBe(404);
    await readLetters(broker, 1);
    const invalid = await broker.request(`/v2/dlq/retry/${second?.dlqId}`, {
      method: "POST",
      headers: { "upstash-retries": "many" },
    });
    expect(invalid.status).toBe(400);
    await readLetters(broker, 1);
  });

  it("are selected by their ids alone, whatever other filter stands beside them", async () => {
    const broker = await startTestBroker();
    await kill(broker, await openSink(() => ({ status: 500 })), 2);
    const [first] = await readLetters(broker, 2);
    const path = `/v2/dlq?dlqIds=${first?.dlqId}&label=none&responseStatus=404`;
    const listed: { messages: unknown[] } = await (await broker.request(path)).json();
    expect(listed.messages).toHaveLength(1);
    expect(await (await broker.request(path, { method: "DELETE" })).json()).toEqual({ deleted: 1 });
  });

  it("are retried by 600 ids at once, in a head of 20 kB", async () => {
    const broker = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink(() => ({ status: 500 }));
    const items = Array.from({ length: 600 }, () => ({ url: sink.url, retries: 0 }));
    await broker.client.batch(items);
    const dlqIds: string[] = [];
    await eventually(async () => (await broker.client.logs({ filter: { state: "ACTIVE" } })).logs.length).toBe(100);
    await eventually(() => sink.requests.length).toBe(600);
    await eventually(async () => {
      dlqIds.length = 0;
      let cursor: string | undefined;
      do {
        const page = await broker.client.dlq.listMessages(cursor ? { cursor } : {});
        dlqIds.push(...page.messages.map((letter) => letter.dlqId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return dlqIds.length;
    }).toBe(600);
    const { responses } = await broker.client.dlq.retry(dlqIds);
    expect(responses).toHaveLength(600);
  });

  it("are found by addresses joined with a comma, and by one that has a comma", async () => {
    const broker = await startTestBroker();
    const sink = await openSink(() => ({ status: 500 }));
    const urls = [`${sink.url}/a`, `${sink.url}/b?x=1,2`];
    for (const url of urls) await broker.client.publish({ url, retries: 0 });
    await readLetters(broker, 2);
    const find = async (url: string): Promise<number> => {
      const response = await broker.request(`/v2/dlq?url=${encodeURIComponent(url)}`);
      const { messages }: { messages: unknown[] } = await response.json();
      return messages.length;
    };
    expect(await find(urls.join(","))).toBe(2);
    expect(await find(urls[1] ?? "")).toBe(1);
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
