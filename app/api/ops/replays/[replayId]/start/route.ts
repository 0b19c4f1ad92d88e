import { readRequest } from "#operations/read-request.ts";
import { startRequest } from "#operations/replay-request.ts";
import { beginReplay } from "#operations/start-replay.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../../../log.ts";
import { openOperations } from "../../../../../operations.ts";
import { opsRoute } from "../../../ops-route.ts";

const answer = opsRoute<{ replayId: string }>(
  async ({ request, params }) => {
    const { confirmCount } = await readRequest(request, startRequest, clock);
    return beginReplay(params.replayId, confirmCount, openOperations());
  },
  { audit: { action: "replay.start", target: ({ replayId }) => replayId } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
