import { readHealth } from "#dashboard/read-health.ts";
import { systemClock } from "#platform/clock.ts";
import { errorResponse, toRelayError } from "#platform/errors.ts";

import packageJson from "../../../package.json" with { type: "json" };
import { allowOnly } from "../../allow-only.ts";
import { getDatabase } from "../../services.ts";

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  try {
    const health = await readHealth(getDatabase().db, systemClock, packageJson.version);
    const status = health.store === "ok" ? 200 : 503;
    return Response.json(health, { status, headers: { "cache-control": "no-store" } });
  } catch (thrown) {
    return errorResponse(toRelayError(thrown));
  }
}

const refuse = allowOnly("GET", "HEAD");
export { refuse as DELETE, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
