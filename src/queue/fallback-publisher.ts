import { RelayError } from "#platform/errors.ts";
import { type InternalCallOptions, postInternal } from "#platform/internal-call.ts";

import type { Publisher } from "./publisher.ts";

/**
 * Hands a batch to our own Node route, past a queue that does not take it. Resolves once the events are stored. Its
 * errors are the `FALLBACK_…` codes.
 */
export function createFallbackPublisher(options: InternalCallOptions): Publisher {
  return {
    async publish({ body, traceparent }, timeoutMs) {
      const { status } = await postInternal(body, timeoutMs, options, traceparent === null ? {} : { traceparent });
      if (status === 200) return { status };
      const mayPass = status === 408 || status === 429 || status >= 500;
      throw new RelayError(mayPass ? "FALLBACK_UNAVAILABLE" : "FALLBACK_REJECTED", `The fallback answered ${status}`);
    },
  };
}
