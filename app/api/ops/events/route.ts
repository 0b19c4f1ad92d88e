import { answerEvents, splitExports } from "#dashboard/events/answer-events.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { opsRoute, type OpsRequest } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const readSecrets = () => readEnv(process.env, ["RELAY_SECRET"]).RELAY_SECRET;
const answer = ({ query }: OpsRequest<Record<string, never>>) =>
  answerEvents(query, { db: getReads(), clock, readSecrets });

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: splitExports(opsRoute(answer), opsRoute(answer, { audit: { action: "events.export" } }), { readSecrets, clock }),
});
