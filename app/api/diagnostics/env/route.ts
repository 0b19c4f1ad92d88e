import { diagnoseEnv } from "#diagnostics/diagnose-env.ts";

import { allowOnly } from "../../../allow-only.ts";
import { opsRoute } from "../../ops/ops-route.ts";

export const dynamic = "force-dynamic";

export const POST = opsRoute(async () => diagnoseEnv(process.env));

const refuse = allowOnly("POST");
export { refuse as DELETE, refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PATCH, refuse as PUT };
