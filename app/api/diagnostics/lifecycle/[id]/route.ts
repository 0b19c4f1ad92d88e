import { readLifecycle } from "#dashboard/diagnostics/read-lifecycle.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { systemClock } from "#platform/clock.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../database.ts";
import { opsRoute } from "../../../ops/ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute<{ id: string }>(async ({ params, query }) => {
    parseQuery(noParameters, query);
    return readLifecycle(getReads(), params.id, systemClock.nowMs());
  }),
});
