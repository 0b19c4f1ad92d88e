import { beginBackfill } from "#operations/backfill/start-backfill.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { openBackfilling } from "../../../../../backfills.ts";
import { clock } from "../../../../../log.ts";
import { opsRoute } from "../../../ops-route.ts";

/** Seconds: the handlers of what the first step stores go on after the answer. vercel.json cannot name a path with brackets. */
export const maxDuration = 90;

const answer = opsRoute<{ backfillId: string }>(
  async ({ request, params }) => {
    await readRequest(request, emptyRequest, clock);
    return beginBackfill(params.backfillId, openBackfilling());
  },
  { audit: { action: "backfill.start", target: ({ backfillId }) => backfillId } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
