import { readTokenNames } from "#dashboard/access/read-ops-tokens.ts";
import { endSessions, endSessionsRequest } from "#operations/end-sessions.ts";
import { readRequest } from "#operations/read-request.ts";
import { methods } from "#platform/methods.ts";

import { getDatabase } from "../../../../database.ts";
import { clock } from "../../../../log.ts";
import { opsRoute } from "../../ops-route.ts";

const answer = opsRoute(
  async ({ request, caller }) => {
    const names = readTokenNames(process.env);
    const asked = await readRequest(request, endSessionsRequest, clock);
    return endSessions(asked, { db: getDatabase(), caller, names, nowMs: clock.nowMs() });
  },
  // Each holder may end its own.
  { role: "read", audit: { action: "sessions.end", made: ({ name }) => name } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
