import { parseComparison, readRuntimes } from "#dashboard/runtimes/read-runtimes.ts";
import { systemClock } from "#platform/clock.ts";
import { isEdgeEmulated } from "#platform/delivery.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { log } from "../../../log.ts";
import { rollUps } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) =>
    readRuntimes(getReads(), parseComparison(query), {
      nowMs: systemClock.nowMs(),
      isEmulated: isEdgeEmulated(process.env),
      rollUp: rollUps.now,
      log,
    }),
  ),
});
