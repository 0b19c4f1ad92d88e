import type { InstagramEvent } from "#instagram/events.ts";
import type { Clock } from "#platform/clock.ts";
import type { DeliveryFacts, ForwardOutcome } from "#platform/delivery.ts";
import type { ErrorCode } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { attemptUntil, type AttemptOptions, type Tally } from "./attempts.ts";
import type { Batch } from "./batch.ts";
import { batchBytesMax, encodeBatches } from "./encode-batch.ts";
import type { Publication, Publisher } from "./publisher.ts";

export interface ForwardOptions {
  delivery: DeliveryFacts;
  traceparent: string | null;
  /** Whether the delivery was acknowledged. Settles soon after the events are known to be kept or not, and never rejects. */
  acked: Promise<boolean>;
  /** To the queue. */
  publisher: Publisher;
  /** For one attempt to publish. */
  timeoutMs: number;
  /** Attempts to publish after the first, while the queue takes what it is given. */
  retries: number;
  queue: QueueState;
  /** For all attempts to publish all parts together, waiting included. */
  budgetMs: number;
  /** Past the queue, for what it did not take. */
  fallback: Publisher;
  /** For all attempts of all parts at that, waiting included. */
  fallbackBudgetMs: number;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

/** Shared by the forwards of an isolate. */
export interface QueueState {
  /**
   * Whether the queue took all of what it was given last. While it does not, each forward asks it once, to find out, and
   * goes on to the fallback: by then most retries are in vain, and a server that has them all to make can get no further.
   */
  isTaking: boolean;
}

export interface StartedForward {
  /** Whether somebody else, the queue or the store, has every event now. */
  kept: Promise<boolean>;
  result: Promise<ForwardResult>;
}

/** How a forward ended and what publishing took. `errorType`: of the last failed attempt, the fallback's if that failed. */
export interface ForwardResult extends Tally {
  outcome: ForwardOutcome;
  durationMs: number;
  /** When the queue had accepted every part, by the wall clock; null if it did not. */
  publishedAtMs: number | null;
}

/**
 * Hands the events of one delivery on to our own consumer: publishes them, in as few messages as the limits allow, and
 * posts what the queue does not take to the fallback ingestion. Both promises settle within the two budgets and never
 * reject. After the ack nobody retries for us: if neither way took a part, the outcome is `lost` and an error line names
 * the events' keys (or `refused`, if the delivery was not acknowledged).
 */
export function forwardToInternalIngestion(events: readonly InstagramEvent[], options: ForwardOptions): StartedForward {
  const { clock, log, acked } = options;
  const startedAt = clock.monotonicMs();
  const handedOn = handOn(events, options);

  async function settle(): Promise<ForwardResult> {
    const { parts, tally, left, fellBack, publishErrorType } = await handedOn;
    const durationMs = clock.monotonicMs() - startedAt;
    const publishedAtMs = left.length === 0 && !fellBack ? clock.nowMs() : null;
    const outcome = left.length === 0 ? (fellBack ? "fallback" : "published") : (await acked) ? "lost" : "refused";
    // A line per part: one with a thousand keys would be cut by many a log, and it is the only trace.
    if (outcome === "lost") {
      for (const { part, keys } of left) {
        log.error("forward.lost", { part, publishErrorType, fallbackErrorType: tally.errorType, keys });
      }
    }
    log.info("forward.settled", { outcome, durationMs, parts, ...tally });
    return { outcome, durationMs, publishedAtMs, ...tally };
  }
  return { kept: handedOn.then(({ left }) => left.length === 0), result: settle() };
}

interface HandedOn {
  parts: number;
  tally: Tally;
  /** What neither way took. */
  left: { part?: string; keys: readonly string[] }[];
  fellBack: boolean;
  publishErrorType: ErrorCode | null;
}

/** Requests under way at once: an edge runtime allows six connections, and the report needs none yet. */
const partsAtOnce = 5;

async function handOn(events: readonly InstagramEvent[], options: ForwardOptions): Promise<HandedOn> {
  const { clock, delivery, log, queue, random, traceparent } = options;
  const shared = { clock, random };
  const tally: Tally = { attempts: 0, timeouts: 0, errorType: null };
  const fallbackTally: Tally = { attempts: 0, timeouts: 0, errorType: null };
  try {
    const parts = encodeBatches(delivery, events).map((body, index): Publication => {
      return { body, deduplicationId: `${delivery.id}-${index}`, traceparent };
    });
    log.info("forward.started", { events: events.length, parts: parts.length });
    const fits = (part: Publication) => part.body.byteLength <= batchBytesMax;
    const toPublish = parts.filter(fits);
    const notTaken = await handOver(toPublish, options.publisher, tally, {
      ...shared,
      step: "publish",
      timeoutMs: options.timeoutMs,
      retries: queue.isTaking ? options.retries : 0,
      deadline: clock.monotonicMs() + options.budgetMs,
      log,
    });
    if (toPublish.length > 0) queue.isTaking = notTaken.length === 0;
    const toFallBack = [...parts.filter((part) => !fits(part)), ...notTaken];
    const left = await handOver(toFallBack, options.fallback, fallbackTally, {
      ...shared,
      step: "fallback",
      // All of it: a repeat would only add to the work of a server, or a database waking up, that is still at the first.
      timeoutMs: options.fallbackBudgetMs,
      retries: Infinity,
      deadline: clock.monotonicMs() + options.fallbackBudgetMs,
      log,
    });
    return {
      parts: parts.length,
      tally: { ...tally, errorType: left.length > 0 ? fallbackTally.errorType : tally.errorType },
      left: left.map((part) => ({ part: part.deduplicationId, keys: keysIn(part.body) })),
      fellBack: toFallBack.length > 0,
      publishErrorType: tally.errorType,
    };
  } catch (thrown) {
    log.error("request.failed", describeCause(thrown));
    const left = [{ keys: events.map(({ key }) => key) }];
    const { errorType: publishErrorType } = tally;
    return { parts: 0, tally: { ...tally, errorType: "INTERNAL" }, left, fellBack: false, publishErrorType };
  }
}

/** Hands over all parts, a few at a time; returns those that were not taken. */
async function handOver(
  parts: readonly Publication[],
  publisher: Publisher,
  tally: Tally,
  options: AttemptOptions,
): Promise<Publication[]> {
  const waiting = [...parts];
  const left: Publication[] = [];
  const handOverNext = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const publication = part;
      const log = options.log.with({ part: part.deduplicationId, bytes: part.body.byteLength });
      const attempt = (timeoutMs: number) => publisher.publish(publication, timeoutMs);
      if (!(await attemptUntil(attempt, tally, { ...options, log }))) left.push(part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(partsAtOnce, parts.length) }, handOverNext));
  return left;
}

/** Of an encoded batch; read back from it, as only what was lost is asked for. */
function keysIn(body: Uint8Array): string[] {
  const batch = JSON.parse(new TextDecoder().decode(body)) as Batch;
  return batch.events.map(({ key }) => key);
}
