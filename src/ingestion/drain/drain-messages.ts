import { type Clock, sleep } from "#platform/clock.ts";
import { type ErrorCode, RelayError, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { PulledMessage, PulledQueue } from "#queue/pulled-queue.ts";
import type { QueueCall } from "#queue/queue-call.ts";
import type { QueueRoute } from "#queue/queue-route.ts";
import type { Trace } from "#tracing/trace.ts";

import { retryDelayMs } from "../retry-delay.ts";

/** A queue as the drain knows it. */
export interface DrainedQueue {
  /** As `QUEUE` names it. */
  name: string;
  queue: PulledQueue;
  /** It has batches alone, so nothing is taken from it while ingestion is paused. */
  batchesOnly: boolean;
}

/**
 * What is done with a message by its route: what the route of a pushing queue does. `waitUntil`: for what goes on after the
 * message is dealt with. A `Response` of 400 or above is a failure too.
 */
export type Consume = (call: QueueCall, log: Log, waitUntil: (work: Promise<unknown>) => void) => Promise<unknown>;

export interface DrainMessagesOptions {
  consume: Readonly<Record<QueueRoute, Consume>>;
  /** Keeps of a message that is given up what has to be kept. Its error is null after takings that ended without one. */
  giveUp: (call: QueueCall, route: QueueRoute, error: RelayError | null) => Promise<void>;
  trace: Trace;
  /** Aborted when the process is to stop. */
  stopping: AbortSignal;
  clock: Clock;
  random: () => number;
  log: Log;
}

/**
 * A message that fails by itself is given up after so many takings, as many deliveries as QStash makes by default; with the
 * waits of `retryDelayMs` between them that is after two and a half hours.
 */
const failuresMax = 6;
/**
 * At its next taking after so many a message is given up without another try. A taking that ended with its process has no
 * error, and counts here alone, as one does that met an outage: a message that ends processes must not do so for ever.
 */
export const takingsMax = 12;
/**
 * From so many takings on a batch is tried with no other such one beside it, in any order: if one of them ends the process
 * each time, most of the others are stored before it does.
 */
export const aloneFrom = 3;
/**
 * Longer than the run of a handlers message: five seconds for a place, then at most 70. It is never extended; a process that
 * comes back after it holds a receipt that changes nothing.
 */
export const messageLeaseMs = 90_000;
/** For one request to the queue. */
export const queueTimeoutMs = 5_000;

/** Errors that tell of us and not of the message: no other one would fare better now. */
const stopping = new Set<ErrorCode>(["STORE_UNAVAILABLE", "ENV_INVALID", "OVERLOADED"]);

/** What became of a message: dealt with; to come again; or the same, with an error that every other one would meet now. */
export type MessageOutcome = "done" | "failed" | "stop";

export interface DrainedMessage {
  outcome: MessageOutcome;
  /** Resolves once the queue knows, or cannot be made to know. Never rejects. A message that failed is given back by now. */
  acknowledged: Promise<void>;
}

/**
 * Does what a message asks for and acknowledges it; gives it back, or gives it up, if that fails. Never rejects: what the
 * queue does not hear of comes again when the lease ends.
 */
export async function drainMessage(
  { name, queue }: DrainedQueue,
  message: PulledMessage,
  waitUntil: (work: Promise<unknown>) => void,
  options: DrainMessagesOptions,
): Promise<DrainedMessage> {
  const { consume, clock } = options;
  const { id, body, retried, route, traceparent = null } = message;
  const log = options.log.with({ queue: name, messageId: id, ...(retried > 0 ? { retried } : {}) });
  const call: QueueCall = {
    body: new TextDecoder("utf-8", { ignoreBOM: true }).decode(body),
    bytes: body,
    messageId: id,
    retried,
    atMs: clock.nowMs(),
    monotonicMs: clock.monotonicMs(),
  };
  let error: RelayError | null = null;
  try {
    if (retried >= takingsMax) {
      await giveUp(call, message, null, { ...options, log });
    } else {
      const work = () => consume[route](call, log, waitUntil);
      const answer = await (traceparent === null
        ? work()
        : options.trace.span("drain message", { "relay.queue": name }, work, traceparent));
      if (answer instanceof Response && !answer.ok) throw refused(answer.status);
    }
  } catch (thrown) {
    error = toRelayError(thrown);
    log.warn("drain.message_failed", {
      route,
      code: error.code,
      reason: error.message,
      ...describeCause(error.cause ?? error),
    });
  }
  const settling = { ...options, log };
  const acknowledged = settlePatiently(() => settle(queue, call, message, error, settling), route, settling);
  if (error === null) return { outcome: "done", acknowledged };
  await acknowledged;
  // Handlers without a place say nothing of batches, which need none to be stored.
  const stopsAll = stopping.has(error.code) && !(error.code === "OVERLOADED" && route === "handlers");
  return { outcome: stopsAll ? "stop" : "failed", acknowledged };
}

/** A restart of the queue's server takes seconds, and the end of a lease more than a minute. */
const settleAgainMs = [1_000, 4_000, 10_000];

async function settlePatiently(
  work: () => Promise<void>,
  route: QueueRoute,
  { clock, log, stopping: toStop }: DrainMessagesOptions,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (thrown) {
      log.warn("drain.queue_failed", { route, attempt, ...describeCause(thrown) });
      const waitMs = settleAgainMs[attempt];
      if (waitMs === undefined || toStop.aborted) return;
      await sleep(clock, waitMs);
    }
  }
}

async function settle(
  queue: PulledQueue,
  call: QueueCall,
  message: PulledMessage,
  error: RelayError | null,
  options: DrainMessagesOptions,
): Promise<void> {
  // What cannot be decoded is a dead letter already, with its bytes; no attempt would make it valid.
  const isDone = error === null || (error.code === "BATCH_INVALID" && message.route === "instagram-ingestion");
  const isLast = message.retried + 1 >= failuresMax && error !== null && !stopping.has(error.code);
  if (!isDone && (error.code === "BATCH_INVALID" || isLast)) {
    await giveUp(call, message, error, options);
  } else if (!isDone) {
    const delayMs = error.retryAfterMs ?? retryDelayMs(message.retried + 1, options.random);
    await queue.giveBack(message, delayMs, queueTimeoutMs, stopping.has(error.code));
    return;
  }
  await queue.acknowledge(message, queueTimeoutMs);
}

async function giveUp(
  call: QueueCall,
  { route }: PulledMessage,
  error: RelayError | null,
  { giveUp: keep, log }: DrainMessagesOptions,
): Promise<void> {
  await keep(call, route, error);
  log.error("drain.message_given_up", { route, code: error?.code ?? null });
}

/** As a pushing queue sees it: it would call again. */
function refused(status: number): RelayError {
  return new RelayError("INTERNAL", `The message was answered with ${status}`);
}
