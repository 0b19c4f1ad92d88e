import { RelayError } from "#platform/errors.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";

import type { Publisher } from "./publisher.ts";

/**
 * Hands a batch to our own Node route, past a queue that does not take it. Resolves once the events are stored. Its
 * errors are the `FALLBACK_…` codes.
 */
export function createFallbackPublisher(options: InternalCallOptions): Publisher {
  return {
    async publish({ body, traceparent }, timeoutMs) {
      const headers = traceparent === null ? {} : { traceparent };
      const { status, text } = await postInternal(body, timeoutMs, options, headers);
      // Whatever else answers at this address does not say how many were new.
      if (status === 200 && text.startsWith('{"inserted":')) return { status };
      const mayPass = status === 408 || status === 429 || status >= 500;
      throw new RelayError(mayPass ? "FALLBACK_UNAVAILABLE" : "FALLBACK_REJECTED", `The fallback answered ${status}`);
    },
  };
}
