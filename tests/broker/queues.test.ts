import { Pool } from "pg";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { createManualClock } from "../support/manual-clock.ts";
import {
  createDatabase,
  createGate,
  eventually,
  openSink,
  readStates,
  shareBroker,
  startTestBroker,
} from "./test-broker.ts";

const queueName = "line_1.a-b";

describe("queues with the SDK", () => {
  it("are created, changed, paused, resumed and deleted", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const queue = client.queue({ queueName });
    await queue.upsert({ parallelism: 2 });
    expect(await queue.get()).toMatchObject({ name: queueName, parallelism: 2, paused: false, lag: 0 });
    await queue.pause();
    expect(await queue.get()).toMatchObject({ paused: true, parallelism: 2 });
    await queue.resume();
    expect(await queue.get()).toMatchObject({ paused: false });
    await queue.upsert({ paused: true });
    expect(await queue.get()).toMatchObject({ paused: true, parallelism: 1 });
    await client.queue({ queueName: "another" }).upsert({ parallelism: 1 });
    expect((await client.queue().list()).map(({ name }) => name)).toEqual(["another", queueName]);

    await queue.delete();
    expect(await client.queue().list()).toHaveLength(1);
    await expect(queue.get()).rejects.toMatchObject({ status: 404 });
  });

  it("deliver one after another, in the order of enqueuing", async () => {
    const { client } = await startTestBroker();
    const gates = [createGate(), createGate(), createGate()];
    const sink = await openSink((_request, index) => gates[index]?.response ?? {});
    const queue = client.queue({ queueName });
    for (const n of [1, 2, 3]) await queue.enqueueJSON({ url: `${sink.url}/${n}`, body: { n } });
    expect(await queue.get()).toMatchObject({ lag: 3, parallelism: 1 });

    for (const [index, gate] of gates.entries()) {
      expect((await sink.next()).target).toBe(`/${index + 1}`);
      expect(sink.requests).toHaveLength(index + 1);
      gate.open();
    }
    await eventually(() => queue.get()).toMatchObject({ lag: 0 });
  });

  it("hold the next message until this one's retries and callbacks are over", async () => {
    const clock = createManualClock();
    const databaseUrl = await createDatabase();
    const first = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink(({ target }) => (target === "/1" ? { status: 500 } : {}));
    const queue = first.client.queue({ queueName });
    const failureCallback = `${sink.url}/failed`;
    const { messageId } = await queue.enqueue({ url: `${sink.url}/1`, retries: 1, failureCallback });
    await queue.enqueue({ url: `${sink.url}/2` });
    await sink.next();
    await eventually(() => readStates(first.client, messageId)).toContain("RETRY");
    // A restart does not bring the second forward.
    await first.broker.stop();
    await startTestBroker({ databaseUrl, clock });
    await clock.advance(11_999);
    expect(sink.requests).toHaveLength(1);
    await clock.advance(1);
    const targets = [(await sink.next()).target, (await sink.next()).target, (await sink.next()).target];
    expect(targets).toEqual(["/1", "/failed", "/2"]);
  });

  it("cost no statements while the message ahead waits for its retry", async () => {
    const clock = createManualClock();
    const query = vi.spyOn(Pool.prototype, "query");
    onTestFinished(() => query.mockRestore());
    const claims = () => JSON.stringify(query.mock.calls).split('"claim-turn"').length - 1;
    const { client } = await startTestBroker({ clock });
    const sink = await openSink((_request, index) => ({ status: index < 2 ? 500 : 200 }));
    const queue = client.queue({ queueName });
    const { messageId } = await queue.enqueue({ url: `${sink.url}/1` });
    await queue.enqueue({ url: `${sink.url}/2`, delay: 5 });
    const retries = async () => (await readStates(client, messageId)).filter((state) => state === "RETRY").length;
    await eventually(retries).toBe(1);
    await clock.advance(12_000);
    await eventually(retries).toBe(2);

    for (let count = 0; count < 50; count += 1) await queue.get();
    expect(claims()).toBeLessThan(15);
    await clock.advance(147_999);
    expect(sink.requests).toHaveLength(2);
    await clock.advance(1);
    await eventually(() => sink.requests.map(({ target }) => target)).toEqual(["/1", "/1", "/1", "/2"]);
  });

  it("retry at the right time although a message behind is due later than the first failure", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink((_request, index) => ({ status: index === 0 ? 500 : 200 }));
    const queue = client.queue({ queueName });
    const { messageId } = await queue.enqueue({ url: `${sink.url}/1` });
    for (const delay of [5, 8]) await queue.enqueue({ url: `${sink.url}/${delay}`, delay });
    await eventually(() => readStates(client, messageId)).toContain("RETRY");
    await clock.advance(11_999);
    expect(sink.requests).toHaveLength(1);
    await clock.advance(1);
    await eventually(() => sink.requests.map(({ target }) => target)).toEqual(["/1", "/1", "/5", "/8"]);
  });

  it("deliver so many at once as their parallelism, and more when it grows", async () => {
    const { client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const queue = client.queue({ queueName });
    await queue.upsert({ parallelism: 2 });
    for (let count = 0; count < 5; count += 1) await queue.enqueue({ url: sink.url });
    await eventually(() => sink.requests.length).toBe(2);
    await queue.upsert({ parallelism: 4 });
    await eventually(() => sink.requests.length).toBe(4);
    expect(await queue.get()).toMatchObject({ parallelism: 4, lag: 5 });
    gate.open();
    await eventually(() => sink.requests.length).toBe(5);
  });

  it("hold everything while they are paused, and go on when a message ahead is cancelled", async () => {
    const { client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink((_request, index) => (index === 1 ? gate.response : {}));
    const queue = client.queue({ queueName });
    await queue.pause();
    const first = await queue.enqueue({ url: `${sink.url}/1`, delay: 0 });
    await client.publish({ url: `${sink.url}/free` });
    expect((await sink.next()).target).toBe("/free");
    expect(await readStates(client, first.messageId)).toEqual(["CREATED"]);
    await queue.resume();
    expect((await sink.next()).target).toBe("/1");

    await queue.enqueue({ url: `${sink.url}/2` });
    await client.messages.cancel(first.messageId);
    expect(sink.requests).toHaveLength(2);
    gate.open();
    expect((await sink.next()).target).toBe("/2");
  });

  it("take items of a batch, and cancel what is left when they are deleted", async () => {
    const { client } = await startTestBroker();
    await client.queue({ queueName }).pause();
    const url = "http://127.0.0.1:9/";
    const [a, b] = await client.batchJSON([
      { url, body: {}, queueName },
      { url, body: {}, queueName },
    ]);
    const id = (answer: typeof a) => (answer && "messageId" in answer ? answer.messageId : "");
    expect(await client.messages.get(id(a))).toMatchObject({ queueName });
    await expect(client.messages.cancel({ filter: { queueName: "none" } })).resolves.toEqual({ cancelled: 0 });
    await client.queue({ queueName }).delete();
    expect(await readStates(client, id(b))).toEqual(["CREATED", "CANCELED"]);
  });
});

describe("queues by plain HTTP", () => {
  const shared = shareBroker();

  it.each([
    ["POST", "/v2/queues", '{"queueName":"no spaces","parallelism":1}', 400],
    ["POST", "/v2/queues", '{"queueName":"q","parallelism":0}', 400],
    ["POST", "/v2/queues", '{"queueName":"q","parallelism":1.5}', 400],
    ["POST", "/v2/queues", '{"queueName":"q","parallelism":1001}', 412],
    ["POST", "/v2/queues", '{"queueName":"q","paused":"yes"}', 400],
    ["POST", "/v2/queues", "{}", 400],
    ["GET", "/v2/queues/none", undefined, 404],
    ["GET", "/v2/queues/no%20spaces", undefined, 400],
    ["GET", "/v2/queues/%ff", undefined, 400],
    ["POST", "/v2/enqueue/no%20spaces/https://example.com/", undefined, 400],
    ["POST", "/v2/queues/new/pause", undefined, 200],
    ["DELETE", "/v2/queues/none", undefined, 200],
  ])("%s %s %s answers %i", async (method, path, body, status) => {
    const { request } = shared();
    expect((await request(path, { method, ...(body ? { body } : {}) })).status).toBe(status);
  });

  it("enqueue to an address as it stands in the path", async () => {
    const { request } = shared();
    const sink = await openSink();
    const response = await request(`/v2/enqueue/q/${sink.url}/a//b?x=1&upstash-retries=0`, {
      method: "POST",
      body: "b",
    });
    expect(await response.json()).toMatchObject({ messageId: expect.stringMatching(/^msg_/) });
    expect(await sink.next()).toMatchObject({ target: "/a//b?x=1" });
  });
});
