import { describe, expect, it } from "vitest";

import { Lanes } from "#broker/delivery/lanes.ts";

import { createManualClock } from "../support/manual-clock.ts";
import { eventually, openSink, startTestBroker } from "./test-broker.ts";

describe("receivers that hang", () => {
  it("hold up no other receiver, however many messages wait for them", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const hanging = [await openSink(() => new Promise(() => {})), await openSink(() => new Promise(() => {}))];
    const healthy = await openSink();
    for (const sink of hanging) {
      await client.batch(Array.from({ length: 400 }, () => ({ url: sink.url })));
    }
    const { messageId } = await client.publish({ url: healthy.url });
    expect((await healthy.next()).headers["upstash-message-id"]).toBe(messageId);
  });

  it("hold up no message of another flow-control key", async () => {
    const { client } = await startTestBroker({ clock: createManualClock() });
    const sink = await openSink(({ target }) => (target === "/hang" ? new Promise(() => {}) : {}));
    const flowControl = { key: "slow", parallelism: 1000 };
    await client.batch(Array.from({ length: 400 }, () => ({ url: `${sink.url}/hang`, flowControl })));
    await client.publish({ url: `${sink.url}/well`, flowControl: { key: "quick", parallelism: 1 } });
    await eventually(() => sink.requests.some(({ target }) => target === "/well")).toBe(true);
    expect(sink.requests.length).toBeLessThan(400);
  });
});

describe("lanes", () => {
  const open = { room: () => Number.POSITIVE_INFINITY, opensAtMs: () => undefined };
  const laneNamed = (destination: string, key: string | null = null) => JSON.stringify([destination, key, null]);

  /** Begins all that is planned until nothing more is, as if every receiver hung. */
  function fill(lanes: Lanes, bytes = 0): Map<string, number> {
    const begun = new Map<string, number>();
    for (let claims = lanes.plan(0); claims.length > 0; claims = lanes.plan(0)) {
      for (const { lane, quota } of claims) {
        for (let count = 0; count < quota; count += 1) lanes.begin(lane, bytes);
        begun.set(lane, (begun.get(lane) ?? 0) + quota);
        lanes.stillDue(lane);
      }
    }
    return begun;
  }

  it("give one receiver half of the slots, and each of many no more than are left for another", () => {
    const lanes = new Lanes(open);
    lanes.expect(laneNamed("a"), 0, 0);
    expect(fill(lanes).get(laneNamed("a"))).toBe(64);
    for (let count = 0; count < 20; count += 1) lanes.expect(laneNamed(`b${count}`), 0, 0);
    fill(lanes);
    lanes.expect(laneNamed("new"), 0, 0);
    expect(fill(lanes).get(laneNamed("new"))).toBeGreaterThanOrEqual(1);
  });

  it("give a key its share over all receivers", () => {
    const lanes = new Lanes(open);
    for (const destination of ["a", "b", "c"]) lanes.expect(laneNamed(destination, "key"), 0, 0);
    const begun = fill(lanes);
    expect([...begun.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(42 + 16);
  });

  it("leave room for another key of the same receiver", () => {
    const lanes = new Lanes(open);
    lanes.expect(laneNamed("a", "slow"), 0, 0);
    fill(lanes);
    lanes.expect(laneNamed("a", "quick"), 0, 0);
    expect(fill(lanes).get(laneNamed("a", "quick"))).toBeGreaterThanOrEqual(1);
  });

  it("give a receiver of large bodies its share of the memory", () => {
    const lanes = new Lanes(open);
    lanes.expect(laneNamed("a"), 0, 0);
    const megabytes = 1024 * 1024;
    expect(fill(lanes, 10 * megabytes).get(laneNamed("a"))).toBeLessThanOrEqual(32);
    lanes.expect(laneNamed("b"), 0, 0);
    expect(fill(lanes, 1).get(laneNamed("b"))).toBeGreaterThanOrEqual(16);
  });

  it("give a new receiver no memory while all of it is taken", () => {
    const lanes = new Lanes(open);
    const bytes = 256 * 1024 * 1024;
    lanes.begin(laneNamed("a"), bytes);
    lanes.expect(laneNamed("new"), 0, 0);
    expect(lanes.plan(0)).toEqual([]);
    lanes.end(laneNamed("a"), bytes);
    expect(lanes.plan(0)).toMatchObject([{ lane: laneNamed("new") }]);
  });

  it("give a receiver no more than its share in one plan, however many its keys are", () => {
    const lanes = new Lanes(open);
    for (let count = 0; count < 60; count += 1) lanes.begin(laneNamed("a"), 0);
    for (let key = 0; key < 16; key += 1) lanes.expect(laneNamed("a", `k${key}`), 0, 0);
    expect(lanes.plan(0).reduce((sum, { quota }) => sum + quota, 0)).toBe(4);
  });

  it("take turns", () => {
    const lanes = new Lanes(open);
    const names = Array.from({ length: 40 }, (_, index) => laneNamed(`d${index}`));
    for (const name of names) lanes.expect(name, 0, 0);
    const first = lanes.plan(0).map(({ lane }) => lane);
    for (const lane of first) lanes.stillDue(lane);
    const second = lanes.plan(0).map(({ lane }) => lane);
    expect(first).toEqual(names.slice(0, 16));
    expect(second).toEqual(names.slice(16, 32));
  });

  it("forget what is empty", () => {
    const lanes = new Lanes(open);
    lanes.expect(laneNamed("a"), 5, 0);
    lanes.expect(laneNamed("b"), 0, 0);
    lanes.plan(0);
    lanes.prune();
    expect(lanes.nextWakeAtMs(0)).toBe(5);
    lanes.wake(5);
    expect(lanes.plan(5).map(({ lane }) => lane)).toEqual([laneNamed("a")]);
    expect(lanes.takeUnread()).toEqual([laneNamed("a")]);
  });
});
