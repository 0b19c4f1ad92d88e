import type { Json } from "#instagram/events.ts";
import type { Handler, Handlers } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { HandlingOutcome, StoredEvent } from "#store/handle-events.ts";

export interface RunHandlerOptions {
  handlers: Handlers;
  deliveryId: string;
  timeoutMs: number;
  clock: Clock;
  log: Log;
}

/** Calls the user's handler for an event, bounded in time. Never rejects: what the handler throws becomes the outcome. */
export async function runHandler(stored: StoredEvent, options: RunHandlerOptions): Promise<HandlingOutcome> {
  const { handlers, deliveryId, timeoutMs, clock, log } = options;
  const counts = new Map<string, number>();
  const abort = new AbortController();
  const attempt = stored.handlerAttempts + 1;
  const { handlerAttempts: _attempts, data, ...event } = stored;
  // The table of handlers pairs each kind with its function; the pairing of a union cannot be seen by the compiler.
  const handler = handlers[stored.kind] as Handler;
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
      count: (name: string, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by),
      log: log.with({ key: stored.key }),
    };
    await Promise.race([timeUp, (async () => handler({ ...event, data: JSON.parse(data) as Json }, context))()]);
    return { handled: true, counts };
  } catch (thrown) {
    // Its message may quote a customer's: only its name is told.
    const { cause } = describeCause(thrown);
    log.error("handler.failed", { key: stored.key, kind: stored.kind, attempt, cause });
    return { handled: false, errorName: String(cause) };
  } finally {
    cancelTimer();
  }
}

class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
}
