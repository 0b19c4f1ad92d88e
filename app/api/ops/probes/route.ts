import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { readProbes } from "#operations/read-probes.ts";
import { readRequest } from "#operations/read-request.ts";
import { pairsRequest, takePairs } from "#operations/take-probes.ts";
import { methods } from "#platform/methods.ts";

import { getDatabase } from "../../../database.ts";
import { clock } from "../../../log.ts";
import { openProbeStatus } from "../../../probes.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const read = opsRoute(async ({ query }) => {
  parseQuery(noParameters, query);
  return readProbes(openProbeStatus());
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: read,
  POST: opsRoute(
    async ({ request }) => takePairs(await readRequest(request, pairsRequest, clock), { db: getDatabase(), clock }),
    { audit: { action: "probes.take", omitsBody: true } },
  ),
});
