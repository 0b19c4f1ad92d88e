import { diagnoseNetwork } from "#diagnostics/diagnose-network.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readRequest } from "#operations/read-request.ts";
import { emptyRequest } from "#operations/replay-request.ts";
import { methods } from "#platform/methods.ts";
import { findStoreFault } from "#store/connection/find-store-fault.ts";

import { queueName } from "../../../queue/queue.ts";
import { opsRoute } from "../../ops/ops-route.ts";
import { keepDiagnosis } from "../keep-diagnosis.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: opsRoute(
    async ({ request }) => {
      await readRequest(request, emptyRequest, clock);
      return keepDiagnosis(
        "network",
        await diagnoseNetwork({ env: process.env, queue: queueName, clock, findStoreFault }),
      );
    },
    {
      audit: { action: "diagnostics.network", isRequired: false },
    },
  ),
});
