import { answerOps } from "#dashboard/answer-ops.ts";

import { createOpsAccess } from "../../ops-access.ts";

export interface OpsRequest<Params> {
  request: Request;
  query: URLSearchParams;
  params: Params;
  /** The name of the token, under which changes are recorded. */
  actor: string;
}

/**
 * A route for operators: answers `answer`'s value as JSON, with this status, to a request with the token or a session, and
 * 401 to others. What changes something needs the role admin, else read suffices; 403 where the role does not.
 */
export function opsRoute<Params = Record<string, never>>(
  answer: (ops: OpsRequest<Params>) => Promise<unknown>,
  status = 200,
) {
  return async (request: Request, context: { params: Promise<Params> }): Promise<Response> =>
    answerOps(
      request,
      createOpsAccess(),
      async (actor) =>
        answer({ request, query: new URL(request.url).searchParams, params: await context.params, actor }),
      status,
    );
}
