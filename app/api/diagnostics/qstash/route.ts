import { diagnoseQstash } from "#diagnostics/diagnose-qstash.ts";
import { systemClock } from "#platform/clock.ts";
import { methods } from "#platform/methods.ts";

import { opsRoute } from "../../ops/ops-route.ts";
import { keepDiagnosis } from "../keep-diagnosis.ts";

export const dynamic = "force-dynamic";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: opsRoute(
    async () => keepDiagnosis("qstash", await diagnoseQstash({ env: process.env, clock: systemClock, fetch })),
    {
      audit: { action: "diagnostics.qstash", isRequired: false },
    },
  ),
});
