import { handleFailure } from "#ingestion/failure-handler.ts";
import { saveDeadLetter } from "#store/save-dead-letter.ts";

import { getDatabase } from "../../../services.ts";
import { qstashRouteOptions } from "../qstash.ts";

const options = qstashRouteOptions("/api/qstash/instagram-failure");

export function POST(request: Request): Promise<Response> {
  return handleFailure(request, { ...options, save: (letter) => saveDeadLetter(getDatabase().db, letter) });
}
