import { answerFallbackIngestion } from "#ingestion/answer-fallback-ingestion.ts";
import { readEnv } from "#platform/env.ts";
import { methods } from "#platform/methods.ts";
import { waitUntil } from "@vercel/functions";

import { clock, log } from "../../../log.ts";
import { openHandlers } from "../../../services.ts";

function readSettings() {
  const env = readEnv(process.env, ["RELAY_SECRET", "DATABASE_URL", "WEBHOOK_BODY_BYTES_MAX"]);
  return { secrets: env.RELAY_SECRET, webhookBytesMax: env.WEBHOOK_BODY_BYTES_MAX };
}

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({
  POST: (request) => answerFallbackIngestion(request, { readSettings, openHandlers, waitUntil, clock, log }),
});
