import { createNextDeliveryReader } from "#dashboard/deliveries/next-delivery.ts";
import type { ReadDeliveryOptions } from "#dashboard/deliveries/read-delivery.ts";
import type { QueueView } from "#dashboard/status/queue-view.ts";
import { readEnv } from "#platform/env.ts";

import { clock } from "./log.ts";
import { queueView } from "./queue/queue.ts";

/** One for the process, so that all pages share its answers. */
const readNextDelivery = createNextDeliveryReader({
  readSettings: () => {
    const { QSTASH_URL, QSTASH_TOKEN } = readEnv(process.env, ["QSTASH_URL", "QSTASH_TOKEN"]);
    return { url: QSTASH_URL, token: QSTASH_TOKEN };
  },
  fetch,
  clock,
});

/** What reading a delivery or an event needs beside the store, and the queue that brings it. Throws `ENV_INVALID`. */
export function deliveryOptions(): ReadDeliveryOptions & { queue: QueueView } {
  const { HANDLER_RETRIES: handlerRetries } = readEnv(process.env, ["HANDLER_RETRIES"]);
  return { handlerRetries, readNextDelivery, queue: queueView() };
}
