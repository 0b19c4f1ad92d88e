import { diagnoseEnv } from "#diagnostics/diagnose-env.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";

import { queueName } from "../../../queue/queue.ts";
import { opsRoute } from "../../ops/ops-route.ts";
import { keepDiagnosis } from "../keep-diagnosis.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: opsRoute(
    async ({ request }) => {
      await readRequest(request, emptyRequest, clock);
      return keepDiagnosis("env", diagnoseEnv(process.env, { built: queueName }));
    },
    {
      audit: { action: "diagnostics.env", isRequired: false },
    },
  ),
});
