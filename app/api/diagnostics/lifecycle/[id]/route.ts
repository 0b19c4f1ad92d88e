import { readLifecycle } from "#dashboard/read-lifecycle.ts";
import { systemClock } from "#platform/clock.ts";

import { allowOnly } from "../../../../allow-only.ts";
import { getReads } from "../../../../services.ts";
import { opsRoute } from "../../../ops/ops-route.ts";

export const dynamic = "force-dynamic";

export const GET = opsRoute<{ id: string }>(({ params }) => readLifecycle(getReads(), params.id, systemClock.nowMs()));

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
