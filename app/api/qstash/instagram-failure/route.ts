import { handleFailure } from "#ingestion/failure-handler.ts";
import { saveDeadLetter } from "#store/save-dead-letter.ts";

import { allowOnly } from "../../../allow-only.ts";
import { getDatabase } from "../../../services.ts";
import { qstashRouteOptions } from "../qstash.ts";

const options = qstashRouteOptions("/api/qstash/instagram-failure");

export function POST(request: Request): Promise<Response> {
  return handleFailure(request, { ...options, save: (letter) => saveDeadLetter(getDatabase().db, letter) });
}

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
