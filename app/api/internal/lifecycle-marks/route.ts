import { answerMark } from "#lifecycle-experiment/answer-mark.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { saveLifecycleMark } from "#store/operators/save-lifecycle.ts";

import { getDatabase } from "../../../database.ts";
import { clock, log } from "../../../log.ts";

function answer(request: Request): Promise<Response> {
  return answerMark(request, {
    readSettings: () => ({ secret: readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET[0] }),
    save: (mark, arrivedAtMs) => saveLifecycleMark(getDatabase(), mark, arrivedAtMs),
    clock,
    log,
  });
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
