import { answerPayload } from "#dashboard/events/answer-payload.ts";
import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { parseRowId } from "#dashboard/lists/row-id.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../../database.ts";
import { opsRoute } from "../../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ eventId: string }>(async ({ query, params }) => {
  parseQuery(noParameters, query);
  return answerPayload(getReads(), parseRowId(params.eventId));
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
