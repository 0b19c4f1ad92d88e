import { goOnAfterAnswer } from "#ingestion/after-answer.ts";
import { answerReports } from "#measurements/answer-reports.ts";
import { readEnv } from "#platform/env.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { saveReports } from "#store/deliveries/save-reports.ts";

import { alertRuns } from "./alerts.ts";
import { getDatabase } from "./database.ts";
import { clock, log } from "./log.ts";
import { rollUps } from "./services.ts";

/** Stores what our own forwards report. `waitUntil` keeps the process running until the promise settles. */
export function answerReportsCall(request: Request, waitUntil: (promise: Promise<unknown>) => void): Promise<Response> {
  return answerReports(request, {
    readSecrets: () => readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET,
    save: (reports) => saveReports(getDatabase(), reports, clock.nowMs()),
    saveRefusals: (refusals) => saveRefusals(getDatabase(), refusals, clock.nowMs()),
    afterwards: (outcomes) =>
      goOnAfterAnswer(
        rollUps.nowAndThen().then(() => alertRuns.afterReports(outcomes)),
        { waitUntil, log },
      ),
    clock,
    log,
  });
}
