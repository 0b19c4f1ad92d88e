import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { readDescribedReplay } from "#operations/describe-replay.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../database.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ replayId: string }>(async ({ query, params }) => {
  parseQuery(noParameters, query);
  return readDescribedReplay(getReads(), params.replayId);
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
