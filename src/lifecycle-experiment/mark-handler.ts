import type { Clock } from "#platform/clock.ts";
import { errorResponse, toRelayError } from "#platform/errors.ts";
import { readInternal } from "#platform/read-internal.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { LifecycleMark } from "./experiment.ts";
import { parseMark } from "./wire.ts";

export interface MarkHandlerOptions {
  /** Throws `ENV_INVALID` if something is missing. */
  readSecret: () => string;
  /** Stores when a mark arrived; resolves with whether it is the first of a run that is known. */
  save: (mark: LifecycleMark, arrivedAtMs: number) => Promise<boolean>;
  clock: Clock;
  log: Log;
}

/** Takes the marks of our own runs: only what `RELAY_SECRET` signed, each stored once. */
export async function handleLifecycleMark(request: Request, options: MarkHandlerOptions): Promise<Response> {
  const { readSecret, save, clock, log } = options;
  // Before anything here can wait.
  const arrivedAtMs = clock.nowMs();
  try {
    const body = await readInternal(request, { readSecret, bytesMax: 10_000, timeoutMs: 5_000, clock });
    return Response.json({ recorded: await save(parseMark(body), arrivedAtMs) });
  } catch (thrown) {
    const error = toRelayError(thrown);
    log.warn("request.failed", { code: error.code, reason: error.message, ...describeCause(error.cause ?? error) });
    return errorResponse(error);
  }
}
