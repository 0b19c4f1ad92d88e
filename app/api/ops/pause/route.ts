import { noParameters, parseQuery } from "#dashboard/query-parameters.ts";
import { changePause, readPause } from "#operations/pause.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../log.ts";
import { openPause } from "../../../operations.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const change = (paused: boolean) =>
  opsRoute(
    async ({ request }) => {
      await readRequest(request, emptyRequest, clock);
      return changePause(paused, openPause());
    },
    { audit: { action: paused ? "ingestion.pause" : "ingestion.resume" } },
  );

const read = opsRoute(async ({ query }) => {
  parseQuery(noParameters, query);
  return readPause(openPause());
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: read,
  POST: change(true),
  DELETE: change(false),
});
