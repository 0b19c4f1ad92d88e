import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#instagram/received-delivery.ts";
import { type Clock, sleep } from "#platform/clock.ts";
import { type ErrorCode, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { Batch } from "./batch.ts";
import { encodeBatches } from "./encode-batch.ts";
import type { Publication, Publisher } from "./publisher.ts";

export interface ForwardOptions {
  delivery: DeliveryFacts;
  traceparent: string | null;
  /** Whether the delivery is acknowledged whatever becomes of it; if not, Meta still has what we could not keep. */
  acksFirst: boolean;
  publisher: Publisher;
  /** For one attempt. */
  timeoutMs: number;
  /** Attempts after the first. */
  retries: number;
  /** For all attempts of all parts together, waiting included. */
  budgetMs: number;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

/** How a forward ended and what it took. */
export interface ForwardResult {
  outcome: "published" | "lost" | "refused";
  durationMs: number;
  /** When the queue had accepted every part, by the wall clock; null if it did not. */
  publishedAtMs: number | null;
  attempts: number;
  timeouts: number;
  /** Of the last failed attempt; null if none failed. */
  errorType: ErrorCode | null;
}

/** The first wait before another attempt; it doubles each time and varies by half. */
const firstDelayMs = 100;

/**
 * Hands the events of one delivery to the queue, from which our own consumer ingests them: encodes them, publishes each
 * part, retries where that can help. Settles within the budget and never rejects. After the ack nobody retries for us:
 * if the queue does not take a part, the outcome is `lost` and an error line names the events' keys (or `refused`, if the
 * delivery was not acknowledged first).
 */
export async function forwardToInternalIngestion(
  events: readonly InstagramEvent[],
  options: ForwardOptions,
): Promise<ForwardResult> {
  const { clock, delivery, log } = options;
  const startedAt = clock.monotonicMs();
  const tally: Tally = { attempts: 0, timeouts: 0, errorType: null };
  let outcome: ForwardResult["outcome"] = options.acksFirst ? "lost" : "refused";
  let parts = 0;
  try {
    const bodies = encodeBatches(delivery, events);
    parts = bodies.length;
    log.info("forward.started", { events: events.length, parts });
    const deadline = startedAt + options.budgetMs;
    const refused = await publishAll(bodies, deadline, options, tally);
    if (refused.length === 0) outcome = "published";
    // A line per part: one with a thousand keys would be cut by many a log, and it is the only trace.
    if (options.acksFirst) for (const part of refused) logLost(keysIn(part.body), tally, log, part.deduplicationId);
  } catch (thrown) {
    tally.errorType = "INTERNAL";
    log.error("request.failed", describeCause(thrown));
    const keys = events.map(({ key }) => key);
    if (options.acksFirst) logLost(keys, tally, log);
  }
  const durationMs = clock.monotonicMs() - startedAt;
  log.info("forward.settled", { outcome, durationMs, parts, ...tally });
  return { outcome, durationMs, publishedAtMs: outcome === "published" ? clock.nowMs() : null, ...tally };
}

interface Tally {
  attempts: number;
  timeouts: number;
  errorType: ErrorCode | null;
}

/** Parts under way at once: an edge runtime allows six connections, and the report needs none yet. */
const partsAtOnce = 5;

/** Publishes all parts, a few at a time; returns those that were not accepted. */
async function publishAll(
  bodies: readonly Uint8Array<ArrayBuffer>[],
  deadline: number,
  options: ForwardOptions,
  tally: Tally,
): Promise<Publication[]> {
  const refused: Publication[] = [];
  const waiting = bodies.map((body, index): Publication => {
    return { body, deduplicationId: `${options.delivery.id}-${index}`, traceparent: options.traceparent };
  });
  const publishNext = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      if (!(await publishPart(part, deadline, options, tally))) refused.push(part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(partsAtOnce, bodies.length) }, publishNext));
  return refused;
}

function logLost(keys: readonly string[], { errorType }: Tally, log: Log, part?: string): void {
  log.error("forward.lost", { part, errorType, keys });
}

/** Of an encoded batch; read back from it, as only what was lost is asked for. */
function keysIn(body: Uint8Array): string[] {
  const batch = JSON.parse(new TextDecoder().decode(body)) as Batch;
  return batch.events.map(({ key }) => key);
}

/** Publishes one part, again and again where it helps, until it is accepted or the time is up. */
async function publishPart(
  publication: Publication,
  deadline: number,
  { publisher, timeoutMs, retries, clock, random, log }: ForwardOptions,
  tally: Tally,
): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    const startedAt = clock.monotonicMs();
    const limitMs = Math.min(timeoutMs, deadline - startedAt);
    if (limitMs <= 0) return false;
    const fields = { part: publication.deduplicationId, attempt };
    tally.attempts += 1;
    log.info("publish.attempt_started", { ...fields, timeoutMs: limitMs, bytes: publication.body.byteLength });
    try {
      const { messageId } = await publisher.publish(publication, limitMs);
      log.info("publish.accepted", { ...fields, messageId, durationMs: clock.monotonicMs() - startedAt });
      return true;
    } catch (thrown) {
      const error = toRelayError(thrown);
      tally.errorType = error.code;
      if (error.code === "PUBLISH_TIMEOUT") tally.timeouts += 1;
      const delayMs = firstDelayMs * 2 ** attempt * (0.5 + random() / 2);
      const isLast = !error.retryable || attempt >= retries || clock.monotonicMs() + delayMs >= deadline;
      log.warn("publish.attempt_failed", {
        ...fields,
        code: error.code,
        reason: error.message,
        durationMs: clock.monotonicMs() - startedAt,
        retryInMs: isLast ? null : delayMs,
        ...(error.cause === undefined ? {} : describeCause(error.cause)),
      });
      if (isLast) return false;
      await sleep(clock, delayMs);
    }
  }
}
