import { encoder } from "#platform/bytes.ts";

import type { MessagePublisher } from "./message-publisher.ts";

/**
 * Publishes by `publisher` what fits into its messages, and by what `openLarge` gives what is larger: a dead letter's batch may be of
 * another queue, with a higher limit. `bytesMax`: of one body.
 */
export function publishBySize(
  publisher: MessagePublisher,
  bytesMax: number,
  openLarge: () => MessagePublisher,
): MessagePublisher {
  return {
    async publish(message, timeoutMs) {
      const { body } = message;
      // A character has at most three bytes; most messages are far below the limit.
      const fits = body.length * 3 <= bytesMax || encoder.encode(body).byteLength <= bytesMax;
      return (fits ? publisher : openLarge()).publish(message, timeoutMs);
    },
  };
}
