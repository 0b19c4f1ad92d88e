import { answerMark } from "#lifecycle-experiment/answer-mark.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { saveLifecycleMark } from "#store/save-lifecycle.ts";

import { log } from "../../../log.ts";
import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";

export function POST(request: Request): Promise<Response> {
  return answerMark(request, {
    readSettings: () => ({ secret: readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET }),
    save: (mark, arrivedAtMs) => saveLifecycleMark(getDatabase().db, mark, arrivedAtMs),
    clock,
    log,
  });
}

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
