import type { Handler, HandlerContext, HandlerDatabase, HandlerEvent, Handlers } from "#handlers/handler.ts";
import { isBackfillDelivery } from "#platform/backfill-delivery.ts";
import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { LeasedEvent } from "#store/handling/leased-event.ts";
import type { Trace } from "#tracing/trace.ts";

import { createCounters, type Counters } from "./counters.ts";
import { describeHandlerError, type ThrownFailure } from "./describe-handler-error.ts";
import { createHandlerLog } from "./handler-log.ts";

export interface RunEventHandlerOptions {
  handlers: Handlers;
  timeoutMs: number;
  /** Access to Postgres until the signal aborts, which it does when the handler has ended. */
  openDatabase: (signal: AbortSignal) => HandlerDatabase;
  clock: Clock;
  log: Log;
  trace: Trace;
}

/** The result of one attempt: what to count, or what was thrown. */
export type HandlerOutcome =
  | { handled: true; counts: ReadonlyMap<string, number> }
  | { handled: false; failure: ThrownFailure };

/** Calls the user's handler for an event, with a time limit. Never rejects: an error of the handler becomes the outcome. */
export function runEventHandler(event: LeasedEvent, options: RunEventHandlerOptions): Promise<HandlerOutcome> {
  const { trace } = options;
  const facts = {
    "relay.event.id": event.id,
    "relay.event.kind": event.kind,
    "relay.handler.attempt": event.attempt,
  };
  return trace.span(`handle ${event.kind}`, facts, async () => {
    const outcome = await callHandler(event, options);
    if (!outcome.handled) trace.fail(outcome.failure.name);
    return outcome;
  });
}

/** A timer that is so much too late shows that another handler blocked the process, or that the host froze it. */
const stoodStillMs = 200;
/** Then a handler has so long to go on with what arrived meanwhile. */
const catchUpMs = 1_000;

async function callHandler(
  leased: LeasedEvent,
  { handlers, timeoutMs, openDatabase, clock, log }: RunEventHandlerOptions,
): Promise<HandlerOutcome> {
  const { key, kind, attempt, deliveryId } = leased;
  const begunAt = clock.monotonicMs();
  const counters = createCounters();
  const abort = new AbortController();
  const end = new AbortController();
  // The table pairs each kind with its function, which the compiler cannot follow for a union of kinds.
  const handler = handlers[kind] as Handler;
  let cancelTimer = () => {};
  try {
    const timeUp = new Promise<never>((_resolve, reject) => {
      const giveUp = () => {
        const error = new HandlerTimeout(`The handler took longer than ${timeoutMs} ms`);
        abort.abort(error);
        end.abort(error);
        reject(error);
      };
      cancelTimer = clock.after(timeoutMs, () => {
        // Timers come before answers that arrived while the process stood still.
        if (clock.monotonicMs() - begunAt < timeoutMs + stoodStillMs) giveUp();
        else cancelTimer = clock.after(catchUpMs, giveUp);
      });
    });
    const context = contextOf(leased, {
      signal: abort.signal,
      count: counters.count,
      log: createHandlerLog(log.with({ deliveryId, key })),
      database: openDatabase(end.signal),
    });
    await Promise.race([timeUp, (async () => handler(readEvent(leased), context))()]);
    return { handled: true, counts: counters.counts };
  } catch (thrown) {
    const { retryable, retryAfterMs, ...failure } = describeHandlerError(thrown, kind, clock.nowMs());
    const { name: cause, code, message, frames } = failure;
    log.error("handler.failed", {
      deliveryId,
      key,
      kind,
      attempt,
      cause,
      frames,
      ...(code === null ? {} : { causeCode: code }),
      ...(message === null ? {} : { causeMessage: message }),
    });
    return { handled: false, failure: { ...failure, retryable, retryAfterMs } };
  } finally {
    cancelTimer();
    // What it left behind must hold no connection.
    end.abort(new Error("The handler has ended"));
  }
}

function contextOf(
  { deliveryId, attempt, replay }: LeasedEvent,
  own: Pick<HandlerContext, "signal" | "count" | "log" | "database"> & { count: Counters["count"] },
): HandlerContext {
  return { deliveryId, attempt, replay, backfill: isBackfillDelivery(deliveryId), ...own };
}

/** The data was compared with its schema when it was stored: see `drifted`. */
function readEvent(leased: LeasedEvent): HandlerEvent {
  const { id, key, kind, accountId, senderId, recipientId, occurredAt, sentAt, standby, test, drifted } = leased;
  const facts = { id, key, kind, accountId, senderId, recipientId, occurredAt, sentAt, standby, test, drifted };
  return { ...facts, data: JSON.parse(leased.data) as unknown } as HandlerEvent;
}

class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
  readonly expose = true;
}
