import type { QueuePublisher } from "../publisher.ts";
import { createMessageSender, type MessageSenderOptions } from "./message-sender.ts";

/** Vercel takes 100 MB a message. So many bytes, as with QStash, keep a delivery far below a function's 4.5 MB. */
export const vercelBytesMax = 600_000;

/** Sends each batch as a message that Vercel delivers to our route. */
export function createVercelPublisher(options: MessageSenderOptions): QueuePublisher {
  const send = createMessageSender(options);
  return {
    bytesMax: vercelBytesMax,
    publish: ({ body, deduplicationId, traceparent }, timeoutMs) => {
      const headers: Record<string, string> = traceparent === null ? {} : { traceparent };
      return send({ to: "instagram-ingestion", body, deduplicationId, retries: null, headers }, timeoutMs);
    },
  };
}
