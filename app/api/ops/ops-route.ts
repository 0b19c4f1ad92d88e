import type { OpsAudit } from "#dashboard/answer-audited.ts";
import { answerOps } from "#dashboard/answer-ops.ts";
import type { OpsCaller } from "#dashboard/ops-guard.ts";
import type { OpsRole } from "#platform/ops-token.ts";

import { createOpsAccess } from "../../ops-access.ts";

export interface OpsRequest<Params> {
  request: Request;
  query: URLSearchParams;
  params: Params;
  /** The name of the token, under which changes are recorded. */
  actor: string;
  caller: OpsCaller;
}

export interface OpsRouteOptions<Params, T> {
  /** Of the response; 200 unless given. */
  status?: number;
  /** The role that is needed; unless given, admin for what changes something, else read. */
  role?: OpsRole;
  /** The row in the audit, which every route that changes something leaves. */
  audit?: Omit<OpsAudit<T>, "target"> & { target?: (params: Params) => string };
}

/**
 * A route for operators: answers `answer`'s value as JSON to a request with the token or a session, and 401 to others. What
 * changes something needs the role admin, else read suffices; 403 where the role does not.
 */
export function opsRoute<Params = Record<string, never>, T = unknown>(
  answer: (ops: OpsRequest<Params>) => Promise<T>,
  { audit, ...options }: OpsRouteOptions<Params, T> = {},
) {
  return async (request: Request, context: { params: Promise<Params> }): Promise<Response> => {
    const params = await context.params;
    const query = new URL(request.url).searchParams;
    return answerOps<T>(
      request,
      createOpsAccess(),
      (caller, readable) => answer({ request: readable, query, params, actor: caller.name, caller }),
      audit === undefined ? options : { ...options, audit: { ...audit, target: audit.target?.(params) ?? null } },
    );
  };
}
