import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { readStatus } from "#dashboard/status/read-status.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { openStatus } from "../../../status.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(async ({ query }) => {
    parseQuery(noParameters, query);
    return readStatus(getReads(), openStatus());
  }),
});
