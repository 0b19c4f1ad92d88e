import { parseEventFilter } from "#dashboard/event-filter.ts";
import { beginsExport, eventLines } from "#dashboard/event-lines.ts";
import { readEvents } from "#dashboard/read-events.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../log.ts";
import { getReads } from "../../../services.ts";
import { opsRoute, type OpsRequest } from "../ops-route.ts";

export const dynamic = "force-dynamic";

type Context = { params: Promise<Record<string, never>> };

const answer = async ({ query }: OpsRequest<Record<string, never>>) => {
  const filter = parseEventFilter(query);
  const page = await readEvents(getReads(), filter, clock);
  return filter.format === "ndjson" ? eventLines(page) : page;
};
const list = opsRoute(answer);
const exportList = opsRoute(answer, { audit: { action: "events.export" } });

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: (request: Request, context: Context) => (beginsExport(request) ? exportList : list)(request, context),
});
