import { createNextDeliveryReader } from "#dashboard/next-delivery.ts";
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

/** What reading a delivery needs beside the store. Throws `ENV_INVALID`. */
export function deliveryOptions(): ReadDeliveryOptions {
  return { handlerRetries: readEnv(process.env, ["HANDLER_RETRIES"]).HANDLER_RETRIES, readNextDelivery };
}
