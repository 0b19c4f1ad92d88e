import { readTokenNames } from "#dashboard/access/read-ops-tokens.ts";
import { readSessions } from "#dashboard/access/read-sessions.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(async ({ query, caller: { sessionId } }) => {
  parseQuery(noParameters, query);
  const names = readTokenNames(process.env);
  return readSessions(getReads(), { names, sessionId, nowMs: clock.nowMs() });
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
