import { answerOps } from "#dashboard/answer-ops.ts";

import { createOpsAccess } from "../../ops-access.ts";

export interface OpsRequest<Params> {
  request: Request;
  query: URLSearchParams;
  params: Params;
}

/** A route for operators: what `answer` resolves to is the JSON; nobody gets there without the token or a session. */
export function opsRoute<Params = Record<string, never>>(answer: (ops: OpsRequest<Params>) => Promise<unknown>) {
  return async (request: Request, context: { params: Promise<Params> }): Promise<Response> =>
    answerOps(request, createOpsAccess(), async () =>
      answer({ request, query: new URL(request.url).searchParams, params: await context.params }),
    );
}
