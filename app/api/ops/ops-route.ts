import { answerOps } from "#dashboard/answer-ops.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";

export interface OpsRequest<Params> {
  request: Request;
  query: URLSearchParams;
  params: Params;
}

/** A route for operators: what `answer` resolves to is the JSON; nobody gets there without the token or a session. */
export function opsRoute<Params = Record<string, never>>(answer: (ops: OpsRequest<Params>) => Promise<unknown>) {
  return async (request: Request, context: { params: Promise<Params> }): Promise<Response> => {
    const opsContext = {
      opsToken: () => readEnv(process.env, ["OPS_TOKEN"]).OPS_TOKEN,
      nowMs: systemClock.nowMs(),
      log: createLog({ clock: systemClock, write: writeToConsole }),
    };
    return answerOps(request, opsContext, async () =>
      answer({ request, query: new URL(request.url).searchParams, params: await context.params }),
    );
  };
}
