import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { changePause, readPause } from "#operations/pause.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../log.ts";
import { openPause } from "../../../operations.ts";
import { opsRoute, type OpsRequest } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const change =
  (paused: boolean) =>
  async ({ request }: OpsRequest<Record<string, never>>) => {
    await readRequest(request, emptyRequest, clock);
    return changePause(paused, openPause());
  };

const read = opsRoute(async ({ query }) => {
  parseQuery(noParameters, query);
  return readPause(openPause());
});

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: read,
  POST: opsRoute(change(true), { audit: { action: "ingestion.pause" } }),
  DELETE: opsRoute(change(false), { audit: { action: "ingestion.resume" } }),
});
