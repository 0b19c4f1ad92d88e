import { parseHandlerWindow, readHandlers } from "#dashboard/handlers/read-handlers.ts";
import { systemClock } from "#platform/clock.ts";
import { methods } from "#platform/methods.ts";

import { getReads } from "../../../database.ts";
import { rollUps } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) =>
    readHandlers(getReads(), parseHandlerWindow(query), { nowMs: systemClock.nowMs(), rollUp: rollUps.now }),
  ),
});
