import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { cancelReplay } from "#operations/start-replay.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../../../log.ts";
import { openOperations } from "../../../../../operations.ts";
import { opsRoute } from "../../../ops-route.ts";

const answer = opsRoute<{ replayId: string }>(
  async ({ request, params, actor }) => {
    await readRequest(request, emptyRequest, clock);
    return cancelReplay(params.replayId, actor, openOperations());
  },
  { audit: { action: "replay.cancel", target: ({ replayId }) => replayId } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
