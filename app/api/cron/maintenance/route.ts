import { answerCron } from "#operations/answer-maintenance.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";

import { log } from "../../../log.ts";
import { maintain } from "../../../operations.ts";

export const dynamic = "force-dynamic";

const options = { readSecret: () => readEnv(process.env, ["CRON_SECRET"]).CRON_SECRET, run: maintain, log };

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: (request) => answerCron(request, options),
});
