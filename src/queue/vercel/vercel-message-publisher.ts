import { encoder } from "#platform/bytes.ts";

import type { MessagePublisher } from "../message-publisher.ts";
import { createMessageSender, type MessageSenderOptions } from "./message-sender.ts";

/** Publishes the relay's messages to its own routes. Labels are not Vercel's. */
export function createVercelMessagePublisher(options: MessageSenderOptions): MessagePublisher {
  const send = createMessageSender(options);
  return {
    async publish({ to, body, flowControl, deduplicationId = crypto.randomUUID(), retries, ...given }, timeoutMs) {
      const delayMs = given.delayMs ?? flowControl?.delayMs ?? 0;
      const headers: Record<string, string> =
        delayMs > 0 ? { "vqs-delay-seconds": String(Math.ceil(delayMs / 1000)) } : {};
      const message = { to, body: encoder.encode(body), deduplicationId, retries, headers };
      const { messageId } = await send(message, timeoutMs);
      return { messageId };
    },
  };
}
