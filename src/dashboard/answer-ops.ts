import { errorResponse, toRelayError } from "#platform/errors.ts";
import { refuse } from "#platform/refuse.ts";
import { withStoreErrors } from "#store/store-error.ts";

import type { OpsAccess } from "./ops-access.ts";
import { requireOps, retryAfter } from "./ops-guard.ts";

/**
 * Answers an operator's request: checks the token or session and its role, and resolves with `answer`'s value as JSON, with
 * this status. `answer` gets the token's name, for what it records. An error is logged as `ops.refused` and answered with the error's status.
 */
export async function answerOps(
  request: Request,
  access: OpsAccess,
  answer: (actor: string) => Promise<unknown>,
  status = 200,
): Promise<Response> {
  try {
    const { name } = await requireOps(request, access);
    return Response.json(await withStoreErrors(() => answer(name)), {
      status,
      headers: { "cache-control": "no-store" },
    });
  } catch (thrown) {
    return refuseOps(request, access, thrown);
  }
}

/** The response for what was thrown while an operator's request was answered, which is logged. */
export function refuseOps(request: Request, access: OpsAccess, thrown: unknown): Response {
  const error = toRelayError(thrown);
  // The first of each minute is logged as `ops.limited`: guesses must not fill the log.
  if (error.code === "RATE_LIMITED") return errorResponse(error, { "retry-after": retryAfter(error) });
  return refuse(access.log, "ops.refused", error, {
    fields: { method: request.method, path: new URL(request.url).pathname },
    headers: error.code === "UNAUTHORIZED" ? { "www-authenticate": "Bearer" } : {},
  });
}
