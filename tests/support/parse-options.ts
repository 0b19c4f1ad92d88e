import type { ParseOptions } from "#instagram/webhook-parser.ts";

/** Options of `parseWebhook`; a bug in the parser fails the test. */
export function parseOptions(deliveryId: string): ParseOptions {
  return {
    deliveryId,
    onFailure: (thrown) => {
      throw thrown;
    },
  };
}
