import { answerOps, type AnswerOpsOptions } from "#dashboard/access/answer-ops.ts";
import type { OpsCaller } from "#dashboard/access/ops-guard.ts";

import { createOpsAccess } from "../../ops-access.ts";

export interface OpsRequest<Params> {
  request: Request;
  query: URLSearchParams;
  params: Params;
  /** The name of the token, under which changes are recorded. */
  actor: string;
  caller: OpsCaller;
}

/**
 * A route for operators: answers `answer`'s value as JSON to a request with the token or a session, and 401 to others. What
 * changes something needs the role admin, else read suffices; 403 where the role does not.
 */
export function opsRoute<Params = Record<string, never>, T = unknown>(
  answer: (ops: OpsRequest<Params>) => Promise<T>,
  options: AnswerOpsOptions<T, Params> = {},
) {
  return async (request: Request, context: { params: Promise<Params> }): Promise<Response> => {
    const params = await context.params;
    const query = new URL(request.url).searchParams;
    return answerOps(
      request,
      createOpsAccess(),
      (caller, readable) => answer({ request: readable, query, params, actor: caller.name, caller }),
      { ...options, params },
    );
  };
}
