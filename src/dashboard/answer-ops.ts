import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { isStoreUnavailable } from "#store/store-error.ts";

import { requireOps } from "./ops-guard.ts";

export interface OpsContext {
  /** Reads the token; throws `ENV_INVALID` if it is not set. */
  opsToken: () => string;
  nowMs: number;
  log: Log;
}

/**
 * Answers an operator's request: guard, then `answer`'s value as JSON. What it throws becomes the error's response;
 * what nobody expected is logged with its cause.
 */
export async function answerOps(
  request: Request,
  { opsToken, nowMs, log }: OpsContext,
  answer: () => Promise<unknown>,
): Promise<Response> {
  try {
    await requireOps(request, { opsToken: opsToken(), nowMs });
    return Response.json(await answer(), { headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    const error = storeOrRelayError(thrown);
    const fields = { method: request.method, path: new URL(request.url).pathname, code: error.code };
    if (error.code === "UNAUTHORIZED") log.warn("ops.refused", fields);
    else if (error.status >= 500) log.error("request.failed", { ...fields, ...describeCause(error.cause ?? error) });
    return errorResponse(error, error.code === "UNAUTHORIZED" ? { "www-authenticate": "Bearer" } : {});
  }
}

export function storeOrRelayError(thrown: unknown): RelayError {
  if (!isStoreUnavailable(thrown)) return toRelayError(thrown);
  return new RelayError("STORE_UNAVAILABLE", "The database cannot be reached", { cause: thrown });
}
