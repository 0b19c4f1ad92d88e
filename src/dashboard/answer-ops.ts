import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { describeCause } from "#platform/log.ts";
import { isStoreUnavailable } from "#store/store-error.ts";

import type { OpsAccess } from "./ops-access.ts";
import { requireOps, retryAfter } from "./ops-guard.ts";

/**
 * Answers an operator's request: guard, then `answer`'s value as JSON. What it throws becomes the error's response;
 * what nobody expected is logged with its cause.
 */
export async function answerOps(
  request: Request,
  access: OpsAccess,
  answer: () => Promise<unknown>,
): Promise<Response> {
  try {
    await requireOps(request, access);
    return Response.json(await answer(), { headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    const error = storeOrRelayError(thrown);
    const fields = { method: request.method, path: new URL(request.url).pathname, code: error.code };
    if (error.code === "UNAUTHORIZED") access.log.warn("ops.refused", fields);
    else if (error.status >= 500) {
      access.log.error("request.failed", { ...fields, ...describeCause(error.cause ?? error) });
    }
    return errorResponse(error, headersOf(error));
  }
}

function headersOf(error: RelayError): Record<string, string> {
  if (error.code === "UNAUTHORIZED") return { "www-authenticate": "Bearer" };
  return error.code === "RATE_LIMITED" ? { "retry-after": retryAfter(error) } : {};
}

export function storeOrRelayError(thrown: unknown): RelayError {
  if (!isStoreUnavailable(thrown)) return toRelayError(thrown);
  return new RelayError("STORE_UNAVAILABLE", "The database cannot be reached", { cause: thrown });
}
