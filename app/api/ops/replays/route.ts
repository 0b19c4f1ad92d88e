import { parseReplayPage, readReplayPage } from "#dashboard/repair/read-replays.ts";
import { planReplay } from "#operations/plan-replay.ts";
import { readRequest } from "#operations/read-request.ts";
import { planRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { openOperations } from "../../../operations.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const plan = async ({ request, actor }: { request: Request; actor: string }) =>
  planReplay(await readRequest(request, planRequest, clock), actor, openOperations());

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => readReplayPage(getReads(), parseReplayPage(query))),
  POST: opsRoute(plan, { status: 201, audit: { action: "replay.plan", made: ({ id }) => id } }),
});
