import { describe, expect, it } from "vitest";

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

const key = "k";

describe("flow control with the SDK", () => {
  it("delivers at most so many at once", async () => {
    const { client } = await startTestBroker();
    const gate = createGate();
    const sink = await openSink(() => gate.response);
    const flowControl = { key, parallelism: 2 };
    for (let count = 0; count < 5; count += 1) await client.publish({ url: sink.url, flowControl });

    await eventually(() => client.flowControl.get(key)).toMatchObject({
      flowControlKey: key,
      parallelismMax: 2,
      parallelismCount: 2,
      waitListSize: 3,
      isPaused: false,
    });
    await eventually(() => sink.requests.length).toBe(2);
    expect(await client.flowControl.getGlobalParallelism()).toMatchObject({ parallelismCount: 2 });
    gate.open();
    await eventually(() => sink.requests.length).toBe(5);
  });

  it("delivers at most so many in a period, which begins with a delivery", async () => {
    const clock = createManualClock();
    const { client } = await startTestBroker({ clock });
    const sink = await openSink();
    const flowControl = { key, rate: 2, period: "1m" } as const;
    for (let count = 0; count < 5; count += 1) await client.publish({ url: sink.url, flowControl });
    await eventually(() => client.flowControl.get(key)).toMatchObject({ rateMax: 2, rateCount: 2, ratePeriod: 60 });

    await clock.advance(59_999);
    expect(sink.requests).toHaveLength(2);
    await clock.advance(1);
    await eventually(() => sink.requests.length).toBe(4);
    await clock.advance(60_000);
    await eventually(() => sink.requests.length).toBe(5);
    expect(await client.flowControl.get(key)).toMatchObject({
      rateCount: 1,
      ratePeriodStart: Math.floor(clock.nowMs() / 1000),
    });
  });

  it("holds all messages of a paused key, and no others, until it is resumed", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    // A pause may come before the first publish.
    await client.flowControl.pause(key);
    const held = await client.publish({ url: `${sink.url}/held`, flowControl: { key, parallelism: 1 } });
    await client.publish({ url: `${sink.url}/other`, flowControl: { key: "other", parallelism: 1 } });
    await client.publish({ url: `${sink.url}/none` });
    const others = [(await sink.next()).target, (await sink.next()).target];
    expect(others.toSorted()).toEqual(["/none", "/other"]);
    expect(await client.flowControl.get(key)).toMatchObject({ isPaused: true, waitListSize: 1, parallelismMax: 1 });
    expect(await readStates(client, held.messageId)).toEqual(["CREATED"]);

    await client.flowControl.resume(key);
    expect((await sink.next()).target).toBe("/held");
    expect(await client.flowControl.get(key)).toMatchObject({ isPaused: false });
  });

  it("keeps a pause and a used-up rate over a restart", async () => {
    const clock = createManualClock();
    const databaseUrl = await createDatabase();
    const first = await startTestBroker({ databaseUrl, clock });
    const sink = await openSink();
    await first.client.flowControl.pause("paused");
    await first.client.publish({ url: sink.url, flowControl: { key: "paused", parallelism: 1 } });
    const flowControl = { key, rate: 1, period: "1h" } as const;
    for (let count = 0; count < 2; count += 1) await first.client.publish({ url: sink.url, flowControl });
    await sink.next();
    await first.broker.stop();

    const { client } = await startTestBroker({ databaseUrl, clock });
    await client.publish({ url: `${sink.url}/free` });
    expect((await sink.next()).target).toBe("/free");
    await clock.advance(3_599_999);
    expect(sink.requests).toHaveLength(2);
    await clock.advance(1);
    await sink.next();
    expect(await client.flowControl.get("paused")).toMatchObject({ isPaused: true, waitListSize: 1 });
  });

  it("takes the limits of the last publish, unless they are pinned", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const publish = (parallelism: number, rate: number) =>
      client.publish({ url: "http://127.0.0.1:9/", delay: 60, flowControl: { key, parallelism, rate, period: 60 } });
    await publish(5, 10);
    await client.flowControl.pin(key, { parallelism: 3, rate: 20, period: 120 });
    await publish(6, 11);
    const pinned = { isPinnedParallelism: true, isPinnedRate: true };
    const limits = { parallelismMax: 3, rateMax: 20, ratePeriod: 120 };
    expect(await client.flowControl.get(key)).toMatchObject({ ...pinned, ...limits, rateCount: 0 });

    await client.flowControl.unpin(key, { parallelism: true });
    expect(await client.flowControl.get(key)).toMatchObject({ ...pinned, ...limits, isPinnedParallelism: false });
    await publish(7, 12);
    expect(await client.flowControl.get(key)).toMatchObject({ parallelismMax: 7, rateMax: 20 });
    await client.flowControl.unpin(key, { rate: true });
    await publish(7, 12);
    expect(await client.flowControl.get(key)).toMatchObject({ rateMax: 12, ratePeriod: 60, isPinnedRate: false });
  });

  it("shows a message's limits in the log, and counts anew when the period gets another length", async () => {
    const { client, request } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink();
    await client.publish({ url: sink.url, flowControl: { key, rate: 1, period: "1d" } });
    await sink.next();
    await eventually(async () => (await client.logs({ filter: { state: "DELIVERED" } })).logs.length).toBe(1);
    const { logs }: { logs: unknown[] } = await (await request("/v2/logs?flowControlKey=k&state=DELIVERED")).json();
    expect(logs).toMatchObject([{ flowControlKey: key, rate: 1, period: 86_400 }]);
    await client.publish({ url: sink.url, flowControl: { key, rate: 1, period: "1h" } });
    await sink.next();
    expect(await client.flowControl.get(key)).toMatchObject({ rateCount: 1, ratePeriod: 3600 });
  });

  it("begins a new period when the rate is reset", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink();
    const flowControl = { key, rate: 1, period: "1d" } as const;
    await client.publish({ url: `${sink.url}/1`, flowControl });
    await sink.next();
    await client.flowControl.pause(key);
    await client.publish({ url: `${sink.url}/2`, flowControl });
    await client.flowControl.resetRate(key);
    expect(await client.flowControl.get(key)).toMatchObject({ rateCount: 0, waitListSize: 1 });
    await client.flowControl.resume(key);
    expect((await sink.next()).target).toBe("/2");
  });

  it("shows a message's limits, and finds messages by their key", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const url = "http://127.0.0.1:9/";
    const publish = (flowControl: { key: string; rate?: number; parallelism?: number; period?: "1h30m3s" | 2 }) =>
      client.publish({ url, delay: 60, flowControl: flowControl as { key: string; rate: number } });
    const a = await publish({ key: "a", rate: 23, period: "1h30m3s" });
    const b = await publish({ key: "b", parallelism: 5 });
    expect(await client.messages.get(a.messageId)).toMatchObject({ flowControlKey: "a", rate: 23, period: 5403 });
    // The period is there even without a rate.
    expect(await client.messages.get(b.messageId)).toMatchObject({ flowControlKey: "b", parallelism: 5, period: 1 });
    await expect(client.messages.cancel({ filter: { flowControlKey: "a" } })).resolves.toEqual({ cancelled: 1 });
  });

  it("applies to batches and queues, too", async () => {
    const { client } = await startTestBroker();
    const sink = await openSink();
    await client.flowControl.pause(key);
    const flowControl = { key, parallelism: 1 };
    await client.batchJSON([{ url: `${sink.url}/batch`, body: {}, flowControl }]);
    await client.queue({ queueName: "q" }).enqueueJSON({ url: `${sink.url}/queue`, body: {}, flowControl });
    await client.publish({ url: `${sink.url}/free` });
    expect((await sink.next()).target).toBe("/free");
    await client.flowControl.resume(key);
    const targets = [(await sink.next()).target, (await sink.next()).target];
    expect(targets.toSorted()).toEqual(["/batch", "/queue"]);
  });
});

describe("flow control by plain HTTP", () => {
  const shared = shareBroker();

  it("lists and searches keys, and resets one", async () => {
    const { request } = await startTestBroker({ clock: createManualClock() });
    for (const name of ["red", "green"]) {
      const headers = {
        "Upstash-Flow-Control-Key": name,
        "Upstash-Flow-Control-Value": "Rate=20,Parallelism=10, period=60",
        "Upstash-Delay": "1h",
      };
      await request("/v2/publish/http://127.0.0.1:9/", { method: "POST", headers });
    }
    const list = async (query = ""): Promise<{ flowControlKey: string }[]> =>
      (await request(`/v2/flowControl${query}`)).json();
    expect((await list()).map(({ flowControlKey }) => flowControlKey)).toEqual(["green", "red"]);
    expect(await list("?search=re")).toHaveLength(2);
    expect(await list("?search=red")).toMatchObject([{ rateMax: 20, parallelismMax: 10, ratePeriod: 60 }]);
    expect((await request("/v2/flowControl/red/reset", { method: "POST" })).status).toBe(200);
    expect((await request("/v2/flowControl/none")).status).toBe(404);
  });

  it.each([
    "parallelism=0",
    "rate=-1",
    "rate=1.5",
    "rate=1=2",
    "rate=99999999999",
    "period=1m",
    "rate=1, period=0s",
    "rate=1, period=8d",
    "rate=1, period=soon",
    "speed=1",
  ])("refuses the value %s", async (value) => {
    const { request } = shared();
    const headers = { "upstash-flow-control-key": key, "upstash-flow-control-value": value };
    const response = await request("/v2/publish/http://127.0.0.1:9/", { method: "POST", headers });
    expect(response.status).toBe(400);
    expect((await request(`/v2/flowControl/${key}`)).status).toBe(404);
  });

  it("refuses to pin nonsense", async () => {
    const { request } = shared();
    const pin = async (query: string) => (await request(`/v2/flowControl/k/pin${query}`, { method: "POST" })).status;
    expect(await pin("")).toBe(400);
    expect(await pin("?rate=0")).toBe(400);
    expect(await pin("?rate=1&period=9999999")).toBe(400);
    expect(await pin("?parallelism=2")).toBe(200);
  });
});
