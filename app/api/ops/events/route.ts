import { parseEventFilter, readEvents } from "#dashboard/read-events.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getReads } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const GET = opsRoute(({ query }) => {
  const filter = parseEventFilter(query);
  return readEvents(getReads(), filter);
});

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
