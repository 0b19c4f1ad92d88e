import { parseRowId } from "#dashboard/lists/row-id.ts";
import { readDeadLetterGroup } from "#dashboard/repair/read-dead-letter-groups.ts";
import { decideGroup, groupRequest } from "#operations/change-group.ts";
import { readRequest } from "#operations/read-request.ts";
import { methods } from "#platform/methods.ts";

import { getDatabase } from "../../../../../database.ts";
import { clock, log } from "../../../../../log.ts";
import { opsRoute } from "../../../ops-route.ts";

const answer = opsRoute<{ groupId: string }>(
  async ({ request, params, actor }) => {
    const id = parseRowId(params.groupId);
    const db = getDatabase();
    await decideGroup(id, await readRequest(request, groupRequest, clock), { db, clock, log, actor });
    return readDeadLetterGroup(db, id);
  },
  { audit: { action: "dead-letters.decide", target: ({ groupId }) => groupId } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
