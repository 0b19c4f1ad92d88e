import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { createDatabase, createGate, eventually, openSink, readStates, startTestBroker } from "./test-broker.ts";

const url = "http://127.0.0.1:9/never";

describe("messages", () => {
  it("are shown until they are delivered, and ten seconds longer for publishers that look at once", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const { messageId } = await client.publishJSON({
      url: sink.url,
      body: { a: 1 },
      retries: 2,
      label: ["x", "y"],
      failureCallback: url,
      headers: { "test-header": "v" },
    });
    expect(await client.messages.get(messageId)).toMatchObject({
      messageId,
      url: sink.url,
      method: "POST",
      header: { "Content-Type": ["application/json"], "Test-Header": ["v"] },
      body: '{"a":1}',
      maxRetries: 2,
      failureCallback: url,
      callerIP: "127.0.0.1",
      label: "x",
      labels: ["x", "y"],
    });
    await sink.next();
    gate.open();
    await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    expect(await client.messages.get(messageId)).toMatchObject({ messageId });
    await expect(client.messages.cancel(messageId)).resolves.toEqual({ cancelled: 0 });
    await clock.advance(10_001);
    await expect(client.messages.get(messageId)).rejects.toMatchObject({ status: 404 });
    await expect(client.messages.cancel(messageId)).rejects.toMatchObject({ status: 404 });
  });

  it("are cancelled before they are delivered", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const { messageId } = await client.publish({ url: sink.url, delay: 60 });
    await expect(client.messages.cancel(messageId)).resolves.toEqual({ cancelled: 1 });
    await clock.advance(60_000);
    expect(sink.requests).toHaveLength(0);
    expect(await readStates(client, messageId)).toEqual(["CREATED", "CANCEL_REQUESTED", "CANCELED"]);
    await expect(client.messages.cancel(messageId)).rejects.toMatchObject({ status: 404 });
  });

  it("that are being delivered get no retry after a cancellation, nor become dead letters", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const { messageId } = await client.publish({ url: sink.url, failureCallback: `${sink.url}/failed` });
    await sink.next();
    await client.messages.cancel(messageId);
    gate.open({ status: 500 });
    await clock.advance(3_600_000);
    expect(sink.requests).toHaveLength(1);
    expect((await client.dlq.listMessages()).messages).toEqual([]);
    expect((await readStates(client, messageId)).at(-1)).toBe("CANCELED");
  });

  it("are cancelled by ids, by filter or all at once", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    const publish = (label: string, path = "") => client.publish({ url: url + path, delay: 60, label });
    const [a, b] = [await publish("red"), await publish("red")];
    await publish("green", "/deep?x=1");
    await publish("blue");
    await publish("blue");

    await expect(client.messages.cancel([a.messageId, b.messageId, "msg_unknown"])).resolves.toEqual({ cancelled: 2 });
    await expect(client.messages.cancel({ filter: { label: "red" } })).resolves.toEqual({ cancelled: 0 });
    await expect(client.messages.cancel({ filter: { host: "elsewhere" } })).resolves.toEqual({ cancelled: 0 });
    const filter = { host: "127.0.0.1:9", path: "/never/deep" };
    await expect(client.messages.cancel({ filter })).resolves.toEqual({ cancelled: 1 });
    expect((await request("/v2/messages?colour=red", { method: "DELETE" })).status).toBe(400);
    await expect(client.messages.cancel({ all: true })).resolves.toEqual({ cancelled: 2 });
  });

  it("are cancelled with 202, in the request unless a filter's cancellation is asked into the background", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    const publish = async () => (await client.publish({ url, delay: 60 })).messageId;
    const cancel = async (target: string) => {
      const response = await request(target, { method: "DELETE" });
      return { status: response.status, cancelled: (await response.json()).cancelled };
    };
    expect(await cancel(`/v2/messages/${await publish()}`)).toEqual({ status: 202, cancelled: 1 });
    const byIds = `/v2/messages?async=true&messageIds=${await publish()}`;
    expect(await cancel(byIds)).toEqual({ status: 202, cancelled: 1 });
    await publish();
    expect(await cancel("/v2/messages?async=true")).toEqual({ status: 501, cancelled: undefined });
    expect(await cancel("/v2/messages?async=false&label=other")).toEqual({ status: 202, cancelled: 0 });
    expect(await cancel("/v2/messages?async=false")).toEqual({ status: 202, cancelled: 1 });
  });

  it("are cancelled by 350 ids at once, in a head of 20 kB", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const items = Array.from({ length: 350 }, () => ({ url, delay: 60 }));
    const ids = (await client.batch(items)).map((answer) => ("messageId" in answer ? answer.messageId : ""));
    await expect(client.messages.cancel(ids)).resolves.toEqual({ cancelled: 350 });
  });

  it("are cancelled by the ids in the body of a DELETE, as the Python SDK sends them, and no others", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    const { messageId } = await client.publish({ url, delay: 60 });
    await client.publish({ url, delay: 60 });
    const cancel = async (body: string) => {
      const response = await request("/v2/messages", { method: "DELETE", body });
      return response.ok ? response.json() : response.status;
    };
    expect(await cancel("{")).toBe(400);
    expect(await cancel('["a"]')).toBe(400);
    expect(await cancel('{"messageIds":[]}')).toEqual({ cancelled: 0 });
    expect(await cancel(JSON.stringify({ messageIds: [messageId] }))).toEqual({ cancelled: 1 });
    expect(await cancel("")).toEqual({ cancelled: 1 });
  });
});

describe("events", () => {
  it("show what the message was and where its callbacks go, also after it is delivered", async () => {
    const { client, request } = await startTestBroker();
    const sink = await openSink();
    const { messageId } = await client.publishJSON({
      url: sink.url,
      body: { a: 1 },
      timeout: 90,
      retries: 2,
      retryDelay: "1000",
      callback: "https://callback.example/",
      failureCallback: "https://failure.example/",
      headers: { "X-A": "a", "Upstash-Callback-Forward-X-B": "b" },
    });
    await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    const { logs }: { logs: unknown[] } = await (
      await request(`/v2/logs?messageId=${messageId}&state=DELIVERED`)
    ).json();
    expect(logs).toMatchObject([
      {
        header: { "Content-Type": ["application/json"], "X-A": ["a"] },
        body: Buffer.from('{"a":1}').toString("base64"),
        timeout: 90_000,
        maxRetries: 2,
        retryDelayExpression: "1000",
        callback: "https://callback.example/",
        callbackHeaders: { "X-B": ["b"] },
        failureCallback: "https://failure.example/",
        failureCallbackHeaders: { "Content-Type": ["application/json"] },
      },
    ]);
  });

  it("in progress are those of the three states that QStash names", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink(() => ({ status: 500 }));
    const { messageId } = await client.publish({ url: sink.url });
    await eventually(() => readStates(client, messageId)).toContain("RETRY");
    const { logs } = await client.logs({ filter: { state: "IN_PROGRESS" } });
    expect(logs.map((log): string => log.state)).toEqual(["RETRY", "ERROR", "ACTIVE"]);
  });

  it("are paged newest first and filtered, on both addresses and under both keys", async () => {
    const { client, request } = await startTestBroker();
    const sink = await openSink();
    const { messageId } = await client.publish({ url: `${sink.url}/a`, label: "l" });
    await sink.next();
    await client.publish({ url: `${sink.url}/b` });
    await sink.next();
    await eventually(async () => (await client.logs()).logs.length).toBe(6);

    const first = await client.logs({ count: 4 });
    expect(first.logs).toHaveLength(4);
    const second = await client.logs({ count: 4, cursor: first.cursor ?? "" });
    expect(second.cursor).toBeUndefined();
    expect([...first.logs, ...second.logs]).toEqual((await client.logs()).logs);

    expect((await client.logs({ filter: { state: "DELIVERED" } })).logs).toHaveLength(2);
    expect((await client.logs({ filter: { label: "l" } })).logs).toHaveLength(3);
    expect((await client.logs({ filter: { path: "/b", state: "CREATED" } })).logs).toHaveLength(1);
    expect((await request("/v2/logs?colour=red")).status).toBe(400);

    const answer: Record<string, unknown[]> = await (await request(`/v2/logs?messageId=${messageId}`)).json();
    expect(answer["logs"]).toEqual(answer["events"]);
    expect(answer["logs"]?.[0]).toMatchObject({ state: "DELIVERED", responseStatus: 200, url: `${sink.url}/a` });
  });

  it("are dropped after three days", async () => {
    const databaseUrl = await createDatabase();
    const clock = createManualClock();
    const first = await startTestBroker({ databaseUrl, clock });
    await first.client.publish({ url, delay: "4d" });
    await first.broker.stop();

    const later = createManualClock(clock.nowMs() + 3 * 86_400_000 + 1);
    const { client } = await startTestBroker({ databaseUrl, clock: later });
    await eventually(async () => (await client.logs()).logs.length).toBe(0);
    await expect(client.messages.cancel({ all: true })).resolves.toEqual({ cancelled: 1 });
  });
});
