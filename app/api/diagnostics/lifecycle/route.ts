import { noParameters, parseQuery } from "#dashboard/lists/query-parameters.ts";
import { timingDefault } from "#lifecycle-experiment/strategies.ts";
import { parseTiming } from "#lifecycle-experiment/wire.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { methods } from "#platform/methods.ts";
import { readBody } from "#platform/read-body.ts";

import { opsRoute } from "../../ops/ops-route.ts";
import { startExperimentHere } from "./experiment.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: opsRoute(
    async ({ request, query }) => {
      parseQuery(noParameters, query);
      const body = await readBody(request, { bytesMax: 10_000, timeoutMs: 5_000, clock });
      return startExperimentHere({ ...timingDefault, ...parseTiming(body) });
    },
    { audit: { action: "diagnostics.lifecycle", made: ({ id }) => id } },
  ),
});
