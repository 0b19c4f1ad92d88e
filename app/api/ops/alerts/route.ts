import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { methods } from "#platform/methods.ts";

import { readAlertsNow } from "../../../alerts.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(async ({ query }) => {
    parseQuery(noParameters, query);
    return readAlertsNow();
  }),
});
