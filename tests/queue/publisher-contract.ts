import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { ForwardError, forwardErrors } from "#platform/forward-error.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { createForward } from "#queue/forward.ts";
import type { BatchToPublish, QueuePublisher } from "#queue/publisher.ts";

import { eventually } from "../support/eventually.ts";
import type { Answer, HttpFaultProxy } from "../support/http-fault-proxy.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { testBatch, testEvent } from "../support/store.ts";
import { everyCharacter, jsonOf, nameOf } from "./contract-bodies.ts";

/** A publisher, and the server of its queue behind a proxy that can fail. */
export interface PublisherRig {
  publisher: QueuePublisher;
  /** The same, with a credential that the queue refuses: a wrong one, or one that has expired. */
  strangers: Readonly<Record<string, QueuePublisher>>;
  /** Between the publishers and the queue. */
  proxy: HttpFaultProxy;
  /** How the queue answers one request too many, and how long that asks to wait; undefined if it does not say. */
  throttled: () => { answer: Answer; retryAfterMs: number | undefined };
  /** The bodies of all messages that the queue has delivered, or that were taken from it, until now. */
  readDelivered: () => Promise<readonly Uint8Array[]>;
  close: () => Promise<void>;
}

/** Enough for a busy machine, and less than a test may take. */
const timeoutMs = 5_000;

let count = 0;
function toPublish(body: Uint8Array<ArrayBuffer>): BatchToPublish {
  count += 1;
  return { body, deduplicationId: `contract-${count}-${crypto.randomUUID()}`, traceparent: null };
}

/** What the webhook relies on, whichever queue it publishes to. One rig serves all tests: none leaves a fault behind. */
export function testPublisher(name: string, start: () => Promise<PublisherRig>): void {
  describe(`the publisher of ${name}`, () => {
    let rig: PublisherRig;
    beforeAll(async () => {
      rig = await start();
      return () => rig.close();
    });
    afterEach(async () => {
      rig.proxy.setFault(null);
      await rig.proxy.comeUp();
    });

    const arrived = (bodies: readonly Uint8Array[]) =>
      eventually("every accepted message is delivered as it was", async () => {
        const delivered = new Set((await rig.readDelivered()).map(nameOf));
        return bodies.every((body) => delivered.has(nameOf(body)));
      });
    const failed = async (publisher: QueuePublisher, limitMs = timeoutMs): Promise<unknown> =>
      publisher.publish(toPublish(jsonOf(100, "refused")), limitMs).then(
        () => "accepted",
        (thrown: unknown) => thrown,
      );

    test("what it accepts is delivered, every character as it was", async () => {
      const bodies = everyCharacter();
      for (const body of bodies) {
        const { status, messageId } = await rig.publisher.publish(toPublish(body), timeoutMs);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(300);
        // The forward tells by it that the queue has the batch.
        expect(messageId).toMatch(/^\S{1,300}$/);
      }
      await arrived(bodies);
    });

    test("accepts the same batch again, whose answer was lost, and delivers it", async () => {
      const batch = toPublish(jsonOf(200, `twice ${crypto.randomUUID()}`));
      rig.proxy.setFault((_request, index) => (index === 0 ? { forwards: true, instead: "reset" } : null));
      await expect(rig.publisher.publish(batch, timeoutMs)).rejects.toBeInstanceOf(Error);
      await rig.publisher.publish(batch, timeoutMs);
      await arrived([batch.body]);
    });

    test("takes a body of the limit; a batch of one byte more goes to the fallback", async () => {
      const { bytesMax } = rig.publisher;
      const largest = jsonOf(bytesMax, `largest ${crypto.randomUUID()}`);
      await rig.publisher.publish(toPublish(largest), timeoutMs);
      await arrived([largest]);
      expect(await forwardTo(rig.publisher, bytesMax)).toMatchObject({ outcome: "published", fellBack: 0 });
      expect(await forwardTo(rig.publisher, bytesMax + 1)).toMatchObject({ outcome: "fallback", fellBack: 1 });
    });

    test("a refused credential is PUBLISH_UNAUTHORIZED, which no attempt is repeated for", async () => {
      const codes: Record<string, unknown> = {};
      for (const [which, publisher] of Object.entries(rig.strangers)) codes[which] = codeOf(await failed(publisher));
      const expected = Object.keys(rig.strangers).map((which) => [which, "PUBLISH_UNAUTHORIZED"]);
      expect(codes).toEqual(Object.fromEntries(expected));
      expect(expected.length).toBeGreaterThan(0);
    });

    test("throttling is PUBLISH_RATE_LIMITED, with the time that the queue asks for", async () => {
      const { answer, retryAfterMs } = rig.throttled();
      rig.proxy.setFault(() => ({ forwards: false, instead: answer }));
      const error = await failed(rig.publisher);
      expect(codeOf(error)).toBe("PUBLISH_RATE_LIMITED");
      const asked = error instanceof ForwardError ? error.retryAfterMs : undefined;
      expect(asked === undefined).toBe(retryAfterMs === undefined);
      // The queue may say a time of the clock, in whole seconds.
      expect(Math.abs((asked ?? 0) - (retryAfterMs ?? 0))).toBeLessThan(2_500);
    });

    test("an outage can be tried again, and then leads to the fallback", async () => {
      rig.proxy.setFault(() => ({ forwards: false, instead: { status: 503 } }));
      expect(isRetryable(await failed(rig.publisher))).toBe(true);
      expect(await forwardTo(rig.publisher, 2_000)).toMatchObject({ outcome: "fallback", fellBack: 1 });

      await rig.proxy.goDown();
      expect(isRetryable(await failed(rig.publisher))).toBe(true);
    });

    test("silence ends with a TimeoutError, in time", async () => {
      rig.proxy.setFault(() => ({ forwards: false, instead: "nothing" }));
      const startedAt = clock.monotonicMs();
      expect(await failed(rig.publisher, 200)).toMatchObject({ name: "TimeoutError" });
      expect(clock.monotonicMs() - startedAt).toBeLessThan(3_000);
    });

    test("follows no redirect, and believes no other server's success", async () => {
      const headers = { location: "https://elsewhere.example/" };
      rig.proxy.setFault(() => ({ forwards: false, instead: { status: 307, headers } }));
      expect(isRetryable(await failed(rig.publisher))).toBe(false);
      rig.proxy.setFault(() => ({
        forwards: false,
        instead: { status: 200, body: Buffer.from("<html>hello</html>") },
      }));
      expect(await failed(rig.publisher)).toBeInstanceOf(Error);
    });
  });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof ForwardError ? thrown.code : thrown;
}

/** As the forward sees it: what is no `ForwardError` is a network that failed. */
function isRetryable(thrown: unknown): boolean {
  return thrown instanceof ForwardError ? forwardErrors[thrown.code] : thrown instanceof Error;
}

/** Forwards a delivery that makes one batch of so many bytes, with one attempt to publish. */
async function forwardTo(publisher: QueuePublisher, bytes: number) {
  let fellBack = 0;
  const forward = createForward({
    publisher,
    timeoutMs,
    retries: 0,
    fallback: {
      publish: async ({ body }) => {
        fellBack += decodeBatch(new TextDecoder().decode(body)).events.length;
        return { status: 200 };
      },
    },
    fallbackBudgetMs: timeoutMs,
    clock,
    random: Math.random,
    log: createRecordingLog().log,
  });
  const { batch: _batch, ...delivery } = testBatch(crypto.randomUUID(), []).delivery;
  const facts = { ...delivery, publishStartedAtMs: null, traceparent: null };
  const event = (text: string) => testEvent("m", { data: { message: { mid: "m", text } } });
  // The time that the forward notes has thirteen digits, where `null` has four.
  const frame = new TextEncoder().encode(
    JSON.stringify({ version: 2, delivery: { ...facts, traceparent: undefined, batch: [0, 1] }, events: [event("")] }),
  ).byteLength;
  const text = "x".repeat(bytes - frame - 9);
  const result = await forward({ ...facts, events: [event(text)] }, timeoutMs).result;
  return { ...result, fellBack };
}
