import { diagnoseNetwork } from "#diagnostics/diagnose-network.ts";
import { systemClock } from "#platform/clock.ts";
import migrations from "#store/migrations/meta/_journal.json" with { type: "json" };

import { allowOnly } from "../../../allow-only.ts";
import { opsRoute } from "../../ops/ops-route.ts";

export const dynamic = "force-dynamic";

const latestMigrationMs = Math.max(...migrations.entries.map(({ when }) => when));

export const POST = opsRoute(() => diagnoseNetwork({ env: process.env, clock: systemClock, latestMigrationMs }));

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
