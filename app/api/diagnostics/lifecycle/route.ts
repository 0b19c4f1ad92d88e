import { timingDefault } from "#lifecycle-experiment/strategies.ts";
import { parseTiming } from "#lifecycle-experiment/wire.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readBody } from "#platform/read-body.ts";

import { allowOnly } from "../../../allow-only.ts";
import { opsRoute } from "../../ops/ops-route.ts";
import { startExperimentHere } from "./experiment.ts";

export const dynamic = "force-dynamic";

export const POST = opsRoute(async ({ request }) => {
  const body = await readBody(request, { bytesMax: 10_000, timeoutMs: 5_000, clock });
  return startExperimentHere({ ...timingDefault, ...parseTiming(body) });
});

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
