import type { ReceivedDelivery } from "#instagram/received-delivery.ts";
import type { Clock } from "#platform/clock.ts";
import type { Forwarding, ForwardResult } from "#platform/delivery.ts";
import { describeCause, type Log } from "#platform/log.ts";

import { attemptUntil, type AttemptOptions, type AttemptStats } from "./attempts.ts";
import { encodeBatches, type EncodedBatch } from "./encode-batch.ts";
import type { BatchToPublish, Publisher, QueuePublisher } from "./publisher.ts";

export interface ForwardOptions {
  /** To the queue. */
  publisher: QueuePublisher;
  /** For one attempt to publish. */
  timeoutMs: number;
  /** Attempts to publish after the first, while the queue accepts batches. */
  retries: number;
  /** Past the queue, for what it did not accept. */
  fallback: Publisher;
  /** For all attempts of all batches at the fallback together, in milliseconds, with the waits between them. */
  fallbackBudgetMs: number;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
}

/**
 * Starts to forward one delivery: publishes its events in as few batches as the limits allow, and posts what the queue
 * does not accept to the fallback ingestion. `publishBudgetMs`: for all attempts to publish all batches, waiting included.
 */
export type Forward = (delivery: ReceivedDelivery, publishBudgetMs: number) => Forwarding;

/** Creates the forward of an isolate. Its promises settle within the two budgets and never reject. */
export function createForward({
  publisher,
  timeoutMs,
  retries,
  fallback,
  fallbackBudgetMs,
  ...options
}: ForwardOptions): Forward {
  const { clock, random, log } = options;
  /** False after the queue did not accept a delivery. While false, each forward makes only one attempt, so that time remains for the fallback. */
  let isAccepting = true;

  async function forward(
    { events, traceparent, ...facts }: ReceivedDelivery,
    publishBudgetMs: number,
  ): Promise<ForwardResult> {
    const deliveryLog = log.with({ deliveryId: facts.id });
    const startedAt = clock.monotonicMs();
    const published: AttemptStats = { attempts: 0, timeouts: 0, errorType: null };
    // Only its error is reported: the report counts attempts to publish.
    const fellBack: AttemptStats = { attempts: 0, timeouts: 0, errorType: null };
    let batches: Outgoing[] = [];
    const end = (rest: Pick<ForwardResult, "outcome" | "undelivered" | "errorType">): ForwardResult => ({
      ...published,
      publishErrorType: published.errorType,
      durationMs: clock.monotonicMs() - startedAt,
      batches: batches.length,
      messageIds: batches.flatMap(({ messageId }) => messageId ?? []),
      publishedAtMs: rest.outcome === "published" ? clock.nowMs() : null,
      ...rest,
    });
    try {
      batches = encodeBatches({ ...facts, publishStartedAtMs: clock.nowMs() }, events, publisher.bytesMax).map(
        (batch) => toPublish(batch, facts.id, traceparent),
      );
      deliveryLog.debug("forward.started", { events: events.length, batches: batches.length });
      const fitting = batches.filter(({ body }) => body.byteLength <= publisher.bytesMax);
      const unpublished = await publishAll(fitting, publisher, published, {
        step: "publish",
        timeoutMs,
        retries: isAccepting ? retries : 0,
        deadline: clock.monotonicMs() + publishBudgetMs,
        clock,
        random,
        log: deliveryLog,
      });
      if (fitting.length > 0) isAccepting = unpublished.length === 0;
      const toFallBack = [...batches.filter((batch) => !fitting.includes(batch)), ...unpublished];
      const left = await publishAll(toFallBack, fallback, fellBack, {
        step: "fallback",
        // One slow attempt may use the whole budget: a second request would only add work for a server, or for a database
        // that is waking up, while it is still busy with the first.
        timeoutMs: fallbackBudgetMs,
        retries: Infinity,
        deadline: clock.monotonicMs() + fallbackBudgetMs,
        clock,
        random,
        log: deliveryLog,
      });
      return end({
        outcome: left.length > 0 ? null : toFallBack.length > 0 ? "fallback" : "published",
        errorType: left.length > 0 ? fellBack.errorType : published.errorType,
        undelivered: left.map((batch) => ({ batch: batch.name, keys: keysOf(batch.events) })),
      });
    } catch (thrown) {
      deliveryLog.error("forward.failed", describeCause(thrown));
      const undelivered = [{ batch: null, keys: keysOf(events) }];
      return end({ outcome: null, errorType: "INTERNAL", undelivered });
    }
  }

  /** Nothing waits for it but the result: the events are kept already. */
  async function wake(result: ForwardResult): Promise<ForwardResult> {
    if (result.messageIds.length > 0) await publisher.wake?.(wakeTimeoutMs);
    return result;
  }

  return (delivery, publishBudgetMs) => {
    const forwarded = forward(delivery, publishBudgetMs);
    const result = publisher.wake === undefined ? forwarded : forwarded.then(wake);
    return { kept: forwarded.then(({ outcome }) => outcome !== null), result };
  };
}

/** The route answers at once; the rest of an edge function's 25 seconds belongs to publishing and the fallback. */
const wakeTimeoutMs = 1_000;

interface Outgoing extends EncodedBatch, BatchToPublish {
  /** As the consumer logs it: index and count. */
  name: string;
  /** The queue's, once it has accepted the batch. */
  messageId?: string | undefined;
}

function toPublish(batch: EncodedBatch, deliveryId: string, traceparent: string | null): Outgoing {
  const name = batch.place.join("/");
  return { ...batch, name, deduplicationId: `${deliveryId}-${batch.place[0]}`, traceparent };
}

function keysOf(events: ReceivedDelivery["events"]): string[] {
  return events.map(({ key }) => key);
}

/** Batches sent at the same time: an edge runtime allows six connections, and one stays free for the report of another delivery. */
const batchesAtOnce = 5;

/** Publishes all batches, a few at a time; returns those that were not accepted. */
async function publishAll(
  batches: readonly Outgoing[],
  publisher: Publisher,
  stats: AttemptStats,
  options: AttemptOptions,
): Promise<Outgoing[]> {
  const left: Outgoing[] = [];
  const waiting = batches.values();
  const publishNext = async () => {
    for (const batch of waiting) {
      const log = options.log.with({ batch: batch.name, bytes: batch.body.byteLength });
      const attempt = async (timeoutMs: number) => {
        const acceptance = await publisher.publish(batch, timeoutMs);
        batch.messageId = acceptance.messageId;
        return acceptance;
      };
      if (!(await attemptUntil(attempt, stats, { ...options, log }))) left.push(batch);
    }
  };
  await Promise.all(Array.from({ length: Math.min(batchesAtOnce, batches.length) }, publishNext));
  return left;
}
