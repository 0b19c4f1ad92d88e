import { parseBackfillPage, readBackfillPage } from "#dashboard/repair/read-backfills.ts";
import { backfillRequest } from "#operations/backfill/backfill-request.ts";
import { planBackfill } from "#operations/backfill/plan-backfill.ts";
import { readRequest } from "#operations/read-request.ts";
import { methods } from "#platform/methods.ts";

import { openBackfilling } from "../../../backfills.ts";
import { getReads } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const plan = async ({ request, actor }: { request: Request; actor: string }) =>
  planBackfill(await readRequest(request, backfillRequest, clock), actor, openBackfilling());

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => readBackfillPage(getReads(), parseBackfillPage(query))),
  POST: opsRoute(plan, { status: 201, audit: { action: "backfill.plan", made: ({ id }) => id } }),
});
