import { createNextDeliveryReader } from "#dashboard/next-delivery.ts";
import { qstashConsole } from "#dashboard/qstash-console.ts";
import type { ReadDeliveryOptions } from "#dashboard/read-delivery.ts";
import { readEnv } from "#platform/env.ts";

import { clock } from "./log.ts";

/** One for the process, so that all pages share its answers. */
const readNextDelivery = createNextDeliveryReader({
  readSettings: () => {
    const { QSTASH_URL, QSTASH_TOKEN } = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN"]);
    return { url: QSTASH_URL, token: QSTASH_TOKEN };
  },
  fetch,
  clock,
});

/** What reading a delivery or an event needs beside the store, and where QStash shows its log. Throws `ENV_INVALID`. */
export function deliveryOptions(): ReadDeliveryOptions & { qstashConsole: string | null } {
  const { HANDLER_RETRIES: handlerRetries, QSTASH_URL: url } = readEnv(process.env, ["HANDLER_RETRIES", "QSTASH_URL"]);
  return { handlerRetries, readNextDelivery, qstashConsole: qstashConsole(url) };
}
