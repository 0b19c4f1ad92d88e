import { describe, expect, it } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually, openSink, readStates, startTestBroker } from "./test-broker.ts";

describe("retries", () => {
  it("follow QStash's back-off to the millisecond, then the message is dead", async () => {
    const clock = createManualClock();
    const { client, receiver } = await startTestBroker({ clock });
    const sink = await openSink(() => ({ status: 500, body: "down" }));
    const { messageId } = await client.publish({ url: sink.url, body: "b", retries: 4 });

    for (const [retry, delayMs] of [12_000, 148_000, 1_808_000, 22_026_000].entries()) {
      const attempt = await sink.next();
      expect(attempt.headers).toMatchObject({ "upstash-message-id": messageId, "upstash-retried": String(retry) });
      await eventually(async () => (await readStates(client, messageId)).at(-1)).toBe("RETRY");
      await clock.advance(delayMs - 1);
      expect(sink.requests).toHaveLength(retry + 1);
      await clock.advance(1);
    }
    const last = await sink.next();
    expect(last.headers["upstash-retried"]).toBe("4");
    // Each attempt is signed anew: the first signature would be long out of date.
    const signature = String(last.headers["upstash-signature"]);
    const tolerant = { signature, body: "b", url: sink.url, clockTolerance: 1 };
    await expect(receiver.verify(tolerant)).resolves.toBe(true);

    const attempt = ["ACTIVE", "ERROR", "RETRY"];
    const states = ["CREATED", ...attempt, ...attempt, ...attempt, ...attempt, "ACTIVE", "ERROR", "FAILED"];
    await eventually(() => readStates(client, messageId)).toEqual(states);
    await expect(client.messages.get(messageId)).rejects.toThrow("message not found");
  });

  it.each([
    ["Retry-After", "30", 30_000],
    ["X-RateLimit-Reset", "6m5s", 365_000],
    ["X-RateLimit-Reset-Requests", "86401", 12_000],
    ["X-RateLimit-Reset-Tokens", "1.5", 1500],
  ])("obey %s: %s", async (name, value, delayMs) => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink((_request, index) => (index === 0 ? { status: 503, headers: { [name]: value } } : {}));
    const { messageId } = await client.publish({ url: sink.url });
    await sink.next();
    await eventually(() => readStates(client, messageId)).toContain("RETRY");

    const [log] = (await client.logs({ messageIds: [messageId], count: 1 })).logs;
    expect(log).toMatchObject({ state: "RETRY", nextDeliveryTime: clock.nowMs() + delayMs, responseStatus: 503 });
    await clock.advance(delayMs - 1);
    expect(sink.requests).toHaveLength(1);
    await clock.advance(1);
    await sink.next();
  });

  it("come at once after Retry-After: 0", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink((_request, index) =>
      index < 2 ? { status: 503, headers: { "Retry-After": "0" } } : {},
    );
    const { messageId } = await client.publish({ url: sink.url });
    await eventually(() => readStates(client, messageId)).toContain("DELIVERED");
    expect(sink.requests).toHaveLength(3);
  });

  it.each([
    [489, { "Upstash-NonRetryable-Error": "true" }, "FAILED"],
    [489, {}, "RETRY"],
    [500, { "Upstash-NonRetryable-Error": "true" }, "RETRY"],
    [302, { location: "/elsewhere" }, "RETRY"],
  ])("after status %i with %o: %s", async (status, headers, state) => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink(() => ({ status, headers }));
    const { messageId } = await client.publish({ url: sink.url });
    await eventually(async () => (await readStates(client, messageId)).at(-1)).toBe(state);
    expect(sink.requests).toHaveLength(1);
  });

  it("count a receiver that is too slow as a failure", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink(() => new Promise(() => {}));
    const { messageId } = await client.publish({ url: sink.url, timeout: 5, retries: 0 });
    await sink.next();
    await clock.advance(4999);
    expect(await readStates(client, messageId)).toEqual(["CREATED", "ACTIVE"]);
    await clock.advance(1);
    await eventually(() => readStates(client, messageId)).toContain("FAILED");
    const { logs } = await client.logs({ messageIds: [messageId] });
    expect(logs[0]).toMatchObject({ state: "FAILED", error: "context deadline exceeded" });
  });

  it("count a receiver that is not there as a failure", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink();
    await sink.close();
    const { messageId } = await client.publish({ url: sink.url, retries: 0 });
    await eventually(() => readStates(client, messageId)).toContain("FAILED");
    const { logs } = await client.logs({ messageIds: [messageId] });
    expect(logs[0]?.error).toContain("ECONNREFUSED");
  });

  it("of one message do not hold up another, up to 16 at a time", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const hanging = await openSink(() => new Promise(() => {}));
    const healthy = await openSink();
    await Promise.all(Array.from({ length: 15 }, () => client.publish({ url: hanging.url })));
    await Promise.all(Array.from({ length: 40 }, () => client.publish({ url: healthy.url })));
    await eventually(() => [healthy.requests.length, hanging.requests.length]).toEqual([40, 15]);
    expect(new Set(healthy.requests.map(({ headers }) => headers["upstash-message-id"])).size).toBe(40);
  });
});

describe("callbacks", () => {
  it("tell about a final failure once, signed, with the dead letter's id and both bodies", async () => {
    const clock = createManualClock();
    const { client, receiver } = await startTestBroker({ clock });
    const sink = await openSink(() => ({ status: 418, body: "teapot\u0000", headers: { "x-why": "tea" } }));
    const callbacks = await openSink();
    const failureCallback = `${callbacks.url}/failed`;
    const { messageId } = await client.publish({
      url: sink.url,
      body: new Blob([new Uint8Array([0, 255])]),
      retries: 1,
      failureCallback,
      headers: { "Upstash-Failure-Callback-Forward-X-Secret": "s", "X-Kind": "k" },
    });
    await sink.next();
    await eventually(() => readStates(client, messageId)).toContain("RETRY");
    await clock.advance(12_000);

    const callback = await callbacks.next();
    expect(callback).toMatchObject({
      method: "POST",
      target: "/failed",
      headers: { "content-type": "application/json", "x-secret": "s" },
    });
    expect(callback.headers["x-kind"]).toBeUndefined();
    const signature = String(callback.headers["upstash-signature"]);
    const verified = receiver.verify({ signature, body: callback.body.toString(), url: failureCallback });
    await expect(verified).resolves.toBe(true);
    const { messages } = await client.dlq.listMessages();
    expect(JSON.parse(callback.body.toString())).toMatchObject({
      status: 418,
      header: { "X-Why": ["tea"] },
      body: Buffer.from("teapot\u0000").toString("base64"),
      retried: 1,
      maxRetries: 1,
      sourceMessageId: messageId,
      sourceHeader: { "X-Kind": ["k"] },
      sourceBody: "AP8=",
      url: sink.url,
      method: "POST",
      dlqId: messages[0]?.dlqId,
    });
    expect(callbacks.requests).toHaveLength(1);
  });

  it("carry the headers that Upstash's Python SDK gives to them without `Forward`", async () => {
    const { client, request } = await startTestBroker();
    const sink = await openSink();
    const callback = `${sink.url}/callback`;
    const headers = { "upstash-callback": callback, "upstash-callback-x-a": "a", "upstash-callback-retries": "1" };
    const response = await request(`/v2/publish/${sink.url}`, { method: "POST", headers });
    const { messageId }: { messageId: string } = await response.json();
    const message: unknown = await client.messages.get(messageId);
    expect(message).toMatchObject({ callbackHeader: { "X-A": ["a"], "Content-Type": ["application/json"] } });
    await sink.next();
    const delivery = await sink.next();
    expect(delivery).toMatchObject({ target: "/callback", headers: { "x-a": "a" } });
    expect(delivery.headers["retries"]).toBeUndefined();
  });

  it("tell about every attempt if asked to", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink((_request, index) => (index === 0 ? { status: 500 } : { body: "fine" }));
    const callbacks = await openSink();
    await client.publish({ url: sink.url, callback: callbacks.url, failureCallback: callbacks.url });

    expect(JSON.parse((await callbacks.next()).body.toString())).toMatchObject({
      status: 500,
      retried: 0,
      maxRetries: 3,
    });
    await clock.advance(12_000);
    const last = await callbacks.next();
    expect(JSON.parse(last.body.toString())).toMatchObject({
      status: 200,
      retried: 1,
      body: Buffer.from("fine").toString("base64"),
    });
  });
});
