import { parsePulseMarks } from "#dashboard/status/pulse-query.ts";
import { methods } from "#platform/methods.ts";

import { readPulse } from "../../../pulse.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  GET: opsRoute(({ query }) => readPulse(parsePulseMarks(query))),
});
