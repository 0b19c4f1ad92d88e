import { parseRowId } from "#dashboard/lists/row-id.ts";
import { parseDeadLetterFilter, readDeadLetters } from "#dashboard/repair/read-dead-letters.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../../database.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute<{ groupId: string }>(async ({ query, params }) =>
  readDeadLetters(getReads(), parseRowId(params.groupId), parseDeadLetterFilter(query)),
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
