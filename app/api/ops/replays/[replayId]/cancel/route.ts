import { readRequest } from "#operations/read-request.ts";
import { noBody } from "#operations/replay-request.ts";
import { cancelReplay } from "#operations/start-replay.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../../../log.ts";
import { openOperations } from "../../../../../operations.ts";
import { opsRoute } from "../../../ops-route.ts";

const answer = opsRoute<{ replayId: string }>(async ({ request, params, actor }) => {
  await readRequest(request, noBody, clock);
  return cancelReplay(params.replayId, actor, openOperations());
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
