import { handlers } from "#handlers/handlers.ts";
import { handleFallback } from "#ingestion/fallback-handler.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { waitUntil } from "#platform/wait-until.ts";
import { getTrace } from "#tracing/trace.ts";

import { log } from "../../../log.ts";
import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";

export function POST(request: Request): Promise<Response> {
  return handleFallback(request, {
    readSettings: () => {
      const env = readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL", "WEBHOOK_BODY_BYTES_MAX"]);
      return { secret: env.RELAY_SECRET, webhookBytesMax: env.WEBHOOK_BODY_BYTES_MAX };
    },
    openIngest: () => ({ db: getDatabase().db, handlers, handlerTimeoutMs: 10_000, trace: getTrace() }),
    waitUntil,
    clock,
    log,
  });
}

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
