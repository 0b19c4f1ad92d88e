import { encoder } from "#platform/bytes.ts";

import type { MessagePublisher } from "../message-publisher.ts";
import { createMessageSender, type MessageSenderOptions } from "./message-sender.ts";

/** Publishes the relay's messages to its own routes. Labels and flow control are not Vercel's. */
export function createVercelMessagePublisher(options: MessageSenderOptions): MessagePublisher {
  const send = createMessageSender(options);
  return {
    async publish({ to, body, delayMs = 0, deduplicationId = crypto.randomUUID(), retries }, timeoutMs) {
      const headers: Record<string, string> =
        delayMs > 0 ? { "vqs-delay-seconds": String(Math.ceil(delayMs / 1000)) } : {};
      const message = { to, body: encoder.encode(body), deduplicationId, retries, headers };
      const { messageId } = await send(message, timeoutMs);
      return { messageId };
    },
  };
}
