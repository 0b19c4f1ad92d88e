import { cancelBackfill } from "#operations/backfill/start-backfill.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { clock, log } from "../../../../../log.ts";
import { getDatabase } from "../../../../../database.ts";
import { opsRoute } from "../../../ops-route.ts";

const answer = opsRoute<{ backfillId: string }>(
  async ({ request, params, actor }) => {
    await readRequest(request, emptyRequest, clock);
    return cancelBackfill(params.backfillId, actor, { db: getDatabase(), log });
  },
  { audit: { action: "backfill.cancel", target: ({ backfillId }) => backfillId } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
