import { parseWebhook } from "#instagram/webhook-parser.ts";

import type { InstagramEvent } from "./instagram-event.ts";

/**
 * All events of a body whose signature was verified, in Meta's order. What is not recognised becomes an event of kind
 * `unknown` with its raw JSON, and a body that is not JSON one with its bytes in base64. Rejects only if the platform
 * cannot hash. `deliveryId` becomes part of the key of a dashboard test, so that each test is an event of its own.
 */
export async function parseEvents(
  body: Uint8Array,
  deliveryId: string = crypto.randomUUID(),
): Promise<InstagramEvent[]> {
  const events = await parseWebhook(body, { deliveryId, onFailure: () => {} });
  return events as InstagramEvent[];
}
