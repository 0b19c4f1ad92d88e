import { answerDrain } from "#ingestion/answer-drain.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { waitUntil } from "@vercel/functions";

import { clock, log } from "../../../log.ts";
import { wakeDrain } from "../../../queue/drain.ts";

const readSecrets = () => readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL"]).RELAY_SECRET;

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerDrain(request, { readSecrets, drain: wakeDrain, waitUntil, clock, log }),
});
