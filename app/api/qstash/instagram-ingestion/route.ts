import { handlers } from "#handlers/handlers.ts";
import { handleIngestion } from "#ingestion/ingestion-handler.ts";
import { getTrace } from "#tracing/trace.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";
import { qstashRouteOptions } from "../qstash.ts";

const options = qstashRouteOptions("/api/qstash/instagram-ingestion");

export function POST(request: Request): Promise<Response> {
  return handleIngestion(request, {
    ...options,
    openIngest: () => ({ db: getDatabase().db, handlers, handlerTimeoutMs: 10_000, trace: getTrace() }),
  });
}

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
