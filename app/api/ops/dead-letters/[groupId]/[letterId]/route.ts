import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { parseRowId } from "#dashboard/lists/row-id.ts";
import { describeLetterBody } from "#operations/letter-body.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../../database.ts";
import { opsRoute } from "../../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ groupId: string; letterId: string }>(async ({ query, params }) => {
  parseQuery(noParameters, query);
  return describeLetterBody(getReads(), parseRowId(params.groupId), parseRowId(params.letterId));
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
