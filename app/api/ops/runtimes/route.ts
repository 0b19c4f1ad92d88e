import { parseWindow, readRuntimes } from "#dashboard/read-runtimes.ts";
import { systemClock } from "#platform/clock.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getReads } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const GET = opsRoute(({ query }) => {
  const window = parseWindow(query);
  return readRuntimes(getReads(), window, systemClock.nowMs());
});

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
