import type { Handler, HandlerEvent, Handlers } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { StoredEvent } from "#store/event-leases.ts";
import type { Trace } from "#tracing/trace.ts";

import { describeHandlerError } from "./describe-handler-error.ts";
import { createHandlerLog } from "./handler-log.ts";

export interface RunEventHandlerOptions {
  handlers: Handlers;
  deliveryId: string;
  timeoutMs: number;
  clock: Clock;
  log: Log;
  trace: Trace;
}

/** The result of one attempt: what to count, or the name of the error. */
export type HandlerOutcome =
  | { handled: true; counts: ReadonlyMap<string, number> }
  | { handled: false; errorName: string };

/** Calls the user's handler for an event, with a time limit. Never rejects: an error of the handler becomes the outcome. */
export function runEventHandler(stored: StoredEvent, options: RunEventHandlerOptions): Promise<HandlerOutcome> {
  const { trace } = options;
  const attempt = stored.handlerAttempts + 1;
  const facts = {
    "relay.event.id": stored.id,
    "relay.event.kind": stored.kind,
    "relay.handler.attempt": attempt,
  };
  return trace.span(`handle ${stored.kind}`, facts, async () => {
    const outcome = await callHandler(stored, attempt, options);
    if (!outcome.handled) trace.fail(outcome.errorName);
    return outcome;
  });
}

async function callHandler(
  stored: StoredEvent,
  attempt: number,
  { handlers, deliveryId, timeoutMs, clock, log }: RunEventHandlerOptions,
): Promise<HandlerOutcome> {
  const counts = new Map<string, number>();
  const abort = new AbortController();
  const { handlerAttempts: _attempts, abandoned: _abandoned, data, ...facts } = stored;
  // The table pairs each kind with its function, which the compiler cannot follow for a union of kinds.
  const handler = handlers[stored.kind] as Handler;
  // The data was compared with its schema when it was stored: see `drifted`.
  const readEvent = () => ({ ...facts, data: JSON.parse(data) as unknown }) as HandlerEvent;
  let cancelTimer = () => {};
  try {
    const timeUp = new Promise<never>((_resolve, reject) => {
      cancelTimer = clock.after(timeoutMs, () => {
        const error = new HandlerTimeout(`The handler took longer than ${timeoutMs} ms`);
        abort.abort(error);
        reject(error);
      });
    });
    const context = {
      deliveryId,
      attempt,
      signal: abort.signal,
      count: (name: string, by = 1) => {
        assertCount(name, by);
        // Postgres would store a lone surrogate (half of an emoji) as U+FFFD: two such names would be one, and refused.
        const counter = name.replace(/\p{Cs}/gu, "\uFFFD");
        if (!counts.has(counter) && counts.size >= countersMax) {
          throw new RangeError(`A handler counts by ${countersMax} names at most`);
        }
        addCount(counts, counter, by);
      },
      log: createHandlerLog(log.with({ key: stored.key })),
    };
    await Promise.race([timeUp, (async () => handler(readEvent(), context))()]);
    return { handled: true, counts };
  } catch (thrown) {
    const failure = describeHandlerError(thrown);
    log.error("handler.failed", { key: stored.key, kind: stored.kind, attempt, ...failure });
    return { handled: false, errorName: failure.cause };
  } finally {
    cancelTimer();
  }
}

/** Of one event, so that the counters of a whole batch fit one statement. */
const countersMax = 100;

/** Adds to a counter, which stays within the safe integers. */
export function addCount(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by;
  counts.set(name, Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, sum)));
}

/** A value that Postgres would refuse fails here, where it affects one event and not all that are settled with it. */
function assertCount(name: string, by: number): void {
  if (typeof name !== "string" || !/^[^\0]{1,100}$/s.test(name))
    throw new RangeError("A counter's name has 1 to 100 characters and no NUL");
  if (!Number.isSafeInteger(by)) throw new RangeError("A counter is raised by a whole number");
}

class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
  readonly expose = true;
}
