import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { saveRefusals } from "#store/save-refusals.ts";
import { saveReports } from "#store/save-reports.ts";
import { answerReports } from "#measurements/answer-reports.ts";

import { log } from "../../../log.ts";
import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";

export function POST(request: Request): Promise<Response> {
  return answerReports(request, {
    readSecret: () => readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET,
    save: (reports) => saveReports(getDatabase().db, reports, clock.nowMs()),
    saveRefusals: (refusals) => saveRefusals(getDatabase().db, refusals),
    clock,
    log,
  });
}

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
