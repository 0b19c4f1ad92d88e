import type { Handler, HandlerEvent, Handlers } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { StoredEvent } from "#store/event-leases.ts";
import type { Trace } from "#telemetry/trace.ts";

export interface RunHandlerOptions {
  handlers: Handlers;
  deliveryId: string;
  timeoutMs: number;
  clock: Clock;
  log: Log;
  trace: Trace;
}

/** What came of one event: what to count, or the name of the error. */
export type HandlingOutcome =
  | { handled: true; counts: ReadonlyMap<string, number> }
  | { handled: false; errorName: string };

/** Calls the user's handler for an event, bounded in time. Never rejects: what the handler throws becomes the outcome. */
export function runHandler(stored: StoredEvent, options: RunHandlerOptions): Promise<HandlingOutcome> {
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
  { handlers, deliveryId, timeoutMs, clock, log }: RunHandlerOptions,
): Promise<HandlingOutcome> {
  const counts = new Map<string, number>();
  const abort = new AbortController();
  const { handlerAttempts: _attempts, data, ...facts } = stored;
  // The table of handlers pairs each kind with its function; the pairing of a union cannot be seen by the compiler.
  const handler = handlers[stored.kind] as Handler;
  // What the schemas found of the data when it was stored is in `drifted`.
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
        counts.set(name, (counts.get(name) ?? 0) + by);
      },
      log: log.with({ key: stored.key }),
    };
    await Promise.race([timeUp, (async () => handler(readEvent(), context))()]);
    return { handled: true, counts };
  } catch (thrown) {
    // Its message may quote a customer's: only its name is told.
    const { cause } = describeCause(thrown);
    log.error("handler.failed", { key: stored.key, kind: stored.kind, attempt, cause });
    return { handled: false, errorName: String(cause).replaceAll("\0", "").slice(0, 200) };
  } finally {
    cancelTimer();
  }
}

/** What the database would refuse has to fail here, where it fails one event and not all that are settled with it. */
function assertCount(name: string, by: number): void {
  if (!/^[^\0]{1,100}$/s.test(name)) throw new RangeError("A counter's name has 1 to 100 characters and no NUL");
  if (!Number.isSafeInteger(by)) throw new RangeError("A counter is raised by a whole number");
}

class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
}
