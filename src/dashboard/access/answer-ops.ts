import { errorResponse, toRelayError } from "#platform/errors.ts";
import type { OpsRole } from "#platform/ops-token.ts";
import { refuse } from "#platform/refuse.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";

import { answerAudited, type OpsAudit } from "./answer-audited.ts";
import type { OpsAccess } from "./ops-access.ts";
import { findCaller, type OpsCaller, requireRole, retryAfter, roleFor } from "./ops-guard.ts";

export interface AnswerOpsOptions<T, Params> {
  /** Of the response; 200 unless given. */
  status?: number;
  /** The role that is needed; unless given, `admin` for what changes something, else `read`. */
  role?: OpsRole;
  /** Leaves a row in the audit. Every route that changes something has it. */
  audit?: OpsAudit<T, Params>;
  /** Of the address, for the target of the row. */
  params?: Params;
}

/**
 * Answers an operator's request: checks the token or session and its role, and resolves with `answer`'s value as JSON, or as
 * it is if it is a response. `answer` gets the caller, whose name it records, and the request to read the body of. An error is logged as `ops.refused`
 * and answered with the error's status.
 */
export async function answerOps<T, Params>(
  request: Request,
  access: OpsAccess,
  answer: (caller: OpsCaller, request: Request) => Promise<T>,
  { status = 200, role = roleFor(request), audit, params }: AnswerOpsOptions<T, Params> = {},
): Promise<Response> {
  try {
    const caller = await findCaller(request, access);
    const work = async (readable: Request) => {
      requireRole(caller, role);
      return withStoreErrors(() => answer(caller, readable));
    };
    const value = await (audit === undefined
      ? work(request)
      : answerAudited(request, access, { caller, audit, params, work }));
    if (value instanceof Response) return value;
    return Response.json(value, { status, headers: { "cache-control": "no-store" } });
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
