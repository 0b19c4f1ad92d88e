// What test deliveries and fixtures are made with.
import { buildPayload, type PayloadKind } from "#conformance/payloads.ts";
import { signBody } from "#instagram/signature.ts";
import type { TestSending } from "#operations/send-test-delivery.ts";
import { readEnv } from "#platform/env.ts";

import { clock } from "./log.ts";
import { getDatabase } from "./database.ts";

/** Throws `ENV_INVALID`. */
export function openTestSending(): TestSending {
  const env = readEnv(process.env, ["RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET", "INSTAGRAM_APP_SECRET"]);
  const [appSecret = ""] = env.INSTAGRAM_APP_SECRET;
  return {
    db: getDatabase(),
    baseUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    sign: (body) => signBody(appSecret, body),
    buildPayload: (kind, nowMs) => buildPayload(kind as PayloadKind, nowMs),
    fetch,
    clock,
  };
}
