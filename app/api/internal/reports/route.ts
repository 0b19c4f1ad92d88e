import { goOnAfterAnswer } from "#ingestion/after-answer.ts";
import { answerReports } from "#measurements/answer-reports.ts";
import { offerDirectAnswer } from "#platform/direct-routes.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { saveRefusals } from "#store/deliveries/save-refusals.ts";
import { saveReports } from "#store/deliveries/save-reports.ts";
import { waitUntil } from "@vercel/functions";

import { alertRuns } from "../../../alerts.ts";
import { getDatabase } from "../../../database.ts";
import { clock, log } from "../../../log.ts";
import { rollUps } from "../../../services.ts";

function answer(request: Request, keepAlive: (promise: Promise<unknown>) => void): Promise<Response> {
  return answerReports(request, {
    readSecrets: () => readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET,
    save: (reports) => saveReports(getDatabase(), reports, clock.nowMs()),
    saveRefusals: (refusals) => saveRefusals(getDatabase(), refusals, clock.nowMs()),
    afterwards: (outcomes) =>
      goOnAfterAnswer(
        rollUps.nowAndThen().then(() => alertRuns.afterReports(outcomes)),
        { waitUntil: keepAlive, log },
      ),
    clock,
    log,
  });
}

// A tenth of the deliveries bring a report of their own.
offerDirectAnswer("/api/internal/reports", answer);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answer(request, waitUntil),
});
