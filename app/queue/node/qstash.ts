import { readEnv } from "#platform/env.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import { createQstashMessagePublisher } from "#queue/qstash/qstash-message-publisher.ts";

import { clock } from "../../log.ts";

/** Throws `ENV_INVALID`. */
export function openQstashMessages(): MessagePublisher {
  const env = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN", "RELAY_URL", "VERCEL_AUTOMATION_BYPASS_SECRET"]);
  return createQstashMessagePublisher({
    qstashUrl: env.QSTASH_URL,
    token: env.QSTASH_TOKEN,
    relayUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    fetch,
    clock,
  });
}
