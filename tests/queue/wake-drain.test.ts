/** A publish to a queue that is drained wakes the drain, which costs a delivery nothing if it fails. */
import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { verifyInternal } from "#platform/internal-signature.ts";
import { createForward } from "#queue/forward.ts";
import { createWakeDrain, drainPath } from "#queue/wake-drain.ts";

import { type Respond, startSink } from "../support/http-sink.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { testBatch, testEvent } from "../support/store.ts";

const secret = "relay-secret-of-thirty-two-characters";

async function open(respond: Respond, accepts = true) {
  const relay = await startSink({ respond });
  onTestFinished(() => relay.close());
  const call = { relayUrl: relay.url, path: drainPath, secret, bypassSecret: null, fetch, clock };
  const forward = createForward({
    publisher: {
      bytesMax: 600_000,
      publish: async () => {
        if (!accepts) throw new ForwardError("PUBLISH_UNAUTHORIZED", "It refuses");
        return { status: 200, messageId: "1" };
      },
      wake: createWakeDrain(call),
    },
    timeoutMs: 1_000,
    retries: 0,
    fallback: { publish: async () => ({ status: 200 }) },
    fallbackBudgetMs: 1_000,
    clock,
    random: Math.random,
    log: createRecordingLog().log,
  });
  const { batch: _batch, ...delivery } = testBatch("d1", []).delivery;
  const facts = { ...delivery, publishStartedAtMs: null, traceparent: null, events: [testEvent("m")] };
  return { relay, forward: () => forward(facts, 1_000) };
}

test("what the queue has accepted wakes the drain, once for a delivery", async () => {
  const { relay, forward } = await open(() => ({ status: 202 }));
  expect(await forward().result).toMatchObject({ outcome: "published" });
  const { method, target, headers } = await relay.next();
  expect([relay.requests.length, method, target]).toEqual([1, "POST", drainPath]);
  const signature = String(headers["x-relay-signature"]);
  expect(await verifyInternal(secret, `POST ${drainPath}`, new Uint8Array(), signature, clock.nowMs())).toBe(true);
});

test("a wake that fails, or is not answered, changes nothing, and no ack waits for it", async () => {
  const failing = await open(() => ({ status: 500 }));
  expect(await failing.forward().result).toMatchObject({ outcome: "published" });
  const silent = await open(() => new Promise<never>(() => {}));
  const { kept, result } = silent.forward();
  expect(await kept).toBe(true);
  expect(await result).toMatchObject({ outcome: "published" });
});

test("what went to the fallback wakes nothing", async () => {
  const { relay, forward } = await open(() => ({ status: 202 }), false);
  expect(await forward().result).toMatchObject({ outcome: "fallback" });
  expect(relay.requests).toEqual([]);
});
