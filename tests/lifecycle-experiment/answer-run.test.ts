import { describe, expect, test } from "vitest";

import type { Schedulers } from "#lifecycle-experiment/begin-work.ts";
import type { Strategy } from "#lifecycle-experiment/experiment.ts";
import { answerRun } from "#lifecycle-experiment/answer-run.ts";
import { RelayError } from "#platform/errors.ts";
import { signInternal } from "#platform/internal-signature.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";

const secret = "relay-secret";

function setUp(
  overrides: Partial<Schedulers> = {},
  send: typeof fetch = () => Promise.resolve(Response.json({ recorded: true })),
) {
  const clock = createManualClock();
  const { log, lines } = createRecordingLog();
  const registered: Promise<void>[] = [];
  const marks: unknown[] = [];
  const schedulers: Schedulers = {
    setImmediate: (begin) => clock.after(0, begin),
    nextTick: (begin) => queueMicrotask(begin),
    setTimeout: (begin) => clock.after(0, begin),
    after: (work) => registered.push(work()),
    waitUntil: (work) => registered.push(work),
    ...overrides,
  };
  const fetchMark: typeof fetch = (url, init) => {
    marks.push(JSON.parse(new TextDecoder().decode(init?.body as Uint8Array)));
    return send(url, init);
  };
  const run = async (body: unknown, { signedAtMs = clock.nowMs() } = {}) => {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const headers = { "x-relay-signature": await signInternal(secret, "POST /run", bytes, signedAtMs) };
    const request = new Request("https://relay.example/run", { method: "POST", body: bytes, headers });
    return answerRun(request, {
      runtime: "nodejs",
      region: "fra1",
      schedulers,
      readSettings: () => ({ relayUrl: "https://relay.example", path: "/marks", secret, bypassSecret: null }),
      fetch: fetchMark,
      clock,
      log,
    });
  };
  const begin = (strategy: Strategy, dueAfterMs = 1_000) => run({ experimentId: "e_1", strategy, dueAfterMs });
  return { clock, lines, registered, marks, run, begin };
}

const mark = (strategy: Strategy) => ({ experimentId: "e_1", runtime: "nodejs", strategy });

describe("a run", () => {
  test.each<Strategy>(["setImmediate", "process.nextTick", "setTimeout", "floating promise"])(
    "by %s is answered at once, registers nothing, and sends its mark when it is due",
    async (strategy) => {
      const { clock, registered, marks, begin } = setUp();
      const answer: unknown = await (await begin(strategy)).json();
      expect(answer).toEqual({ status: "started", startedAtMs: clock.nowMs(), region: "fra1" });
      expect(registered).toEqual([]);
      await clock.advance(999);
      expect(marks).toEqual([]);
      await clock.advance(1);
      await eventually("the mark is sent", () => marks.length > 0);
      expect(marks).toEqual([mark(strategy)]);
    },
  );

  test.each<Strategy>(["after()", "waitUntil"])(
    "by %s registers a promise that settles when the mark is sent",
    async (strategy) => {
      const { clock, registered, marks, begin } = setUp();
      await begin(strategy);
      const settled = Promise.all(registered).then(() => marks.length);
      await clock.advance(1_000);
      expect([registered.length, await settled]).toEqual([1, 1]);
      expect(marks).toEqual([mark(strategy)]);
    },
  );

  test("that is awaited is answered after its mark, but after 3 s at the latest; the mark is sent when it is due", async () => {
    const { clock, marks, begin } = setUp();
    // The timers of the work and of the race.
    const timersAreSet = () => eventually("two timers are set", () => clock.timersLeft() === 2);
    const quick = begin("await, 3 s race").then(() => marks.length);
    await timersAreSet();
    await clock.advance(1_000);
    expect(await quick).toBe(1);
    const slow = begin("await, 3 s race, slow work", 6_000).then(() => marks.length);
    await timersAreSet();
    await clock.advance(3_000);
    expect(await slow).toBe(1);
    await clock.advance(3_000);
    await eventually("both marks are sent", () => marks.length === 2);
    expect(marks).toEqual([mark("await, 3 s race"), mark("await, 3 s race, slow work")]);
    await eventually("no timer is left", () => clock.timersLeft() === 0);
  });

  test("is unavailable if the scheduler throws, and leaves no timer behind", async () => {
    const missing = () => {
      throw new TypeError("setImmediate is not a function");
    };
    const { clock, begin } = setUp({ setImmediate: missing });
    const response = await begin("setImmediate");
    expect([response.status, await response.json()]).toMatchObject([200, { status: "unavailable" }]);
    expect(clock.timersLeft()).toBe(0);
  });

  test.each<[string, typeof fetch]>([
    ["cannot be sent", () => Promise.reject(new TypeError("fetch failed"))],
    ["is refused", () => Promise.resolve(new Response(null, { status: 401 }))],
  ])("whose mark %s retries once, does not reject, and logs each failure", async (_how, send) => {
    const { clock, lines, registered, marks, begin } = setUp({}, send);
    await begin("waitUntil", 0);
    await clock.advance(0);
    await eventually("the second attempt waits", () => lines.length === 1 && clock.timersLeft() === 1);
    await clock.advance(500);
    await Promise.all(registered);
    expect(marks).toEqual([mark("waitUntil"), mark("waitUntil")]);
    const line = { event: "lifecycle.mark_failed", strategy: "waitUntil" };
    expect(lines).toMatchObject([line, line]);
    expect(clock.timersLeft()).toBe(0);
  });

  test("whose mark is not recorded logs that once and does not retry", async () => {
    const { clock, lines, registered, marks, begin } = setUp({}, async () => Response.json({ recorded: false }));
    await begin("waitUntil", 0);
    await clock.advance(0);
    await Promise.all(registered);
    expect([marks.length, lines.length]).toEqual([1, 1]);
    expect(lines).toMatchObject([{ event: "lifecycle.mark_failed", status: 200 }]);
  });

  test("by a waitUntil that throws is unavailable, and its work does not start", async () => {
    const { clock, marks, begin } = setUp({
      waitUntil: () => {
        throw new Error("This host keeps nothing alive after a response");
      },
    });
    expect(await (await begin("waitUntil", 0)).json()).toMatchObject({ status: "unavailable" });
    await clock.advance(1_000);
    expect([marks.length, clock.timersLeft()]).toEqual([0, 0]);
  });
});

describe("the route refuses", () => {
  test("a call with an old signature, and starts nothing", async () => {
    const { clock, run, registered } = setUp();
    const body = { experimentId: "e_1", strategy: "waitUntil", dueAfterMs: 0 };
    const response = await run(body, { signedAtMs: clock.nowMs() - 6 * 60_000 });
    expect([response.status, registered.length]).toEqual([401, 0]);
  });

  test.each([
    { experimentId: "e_1", strategy: "eval", dueAfterMs: 0 },
    { experimentId: "e_1", strategy: "waitUntil", dueAfterMs: 60_000 },
    { experimentId: "../e", strategy: "waitUntil", dueAfterMs: 0 },
    null,
  ])("%j", async (body) => {
    const { run, registered } = setUp();
    expect([(await run(body)).status, registered.length]).toEqual([400, 0]);
  });

  test("every call while a variable is missing, and logs that as an error", async () => {
    const { clock } = setUp();
    const { log, lines } = createRecordingLog();
    const response = await answerRun(new Request("https://relay.example/run", { method: "POST" }), {
      runtime: "edge",
      region: null,
      schedulers: { setImmediate, nextTick: setImmediate, setTimeout, after: () => {}, waitUntil: () => {} },
      readSettings: () => {
        throw new RelayError("ENV_INVALID", "RELAY_SECRET is not set");
      },
      fetch,
      clock,
      log,
    });
    expect(response.status).toBe(503);
    expect(lines).toMatchObject([{ level: "error", event: "lifecycle.run_refused", code: "ENV_INVALID" }]);
  });
});
