import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { readDescribedBackfill } from "#operations/backfill/describe-backfill.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../database.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ backfillId: string }>(async ({ query, params }) => {
  parseQuery(noParameters, query);
  return readDescribedBackfill(getReads(), params.backfillId);
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
