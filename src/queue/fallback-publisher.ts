import { mayPass } from "#platform/bounded-fetch.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";

import type { Publisher } from "./publisher.ts";

/**
 * Posts a batch to our own Node route when the queue does not accept it. Resolves once the events are stored. Its errors are
 * the `FALLBACK_…` codes, `RELAY_URL_REDIRECTS`, and what the port says of timeouts and networks.
 */
export function createFallbackPublisher(options: InternalCallOptions): Publisher {
  return {
    async publish({ body, traceparent }, timeoutMs) {
      const headers = traceparent === null ? {} : { traceparent };
      const { status, text } = await postInternal(body, timeoutMs, options, headers);
      // Another server at this address does not say how many events were new.
      if (status === 200 && text.startsWith('{"inserted":')) return { status };
      const code = mayPass(status) ? "FALLBACK_UNAVAILABLE" : "FALLBACK_REJECTED";
      throw new ForwardError(code, `The fallback answered ${status}`);
    },
  };
}
