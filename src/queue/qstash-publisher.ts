import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";

import type { Publisher } from "./publisher.ts";

export interface QstashPublisherOptions {
  /** The base URL of the account's region. */
  url: string;
  token: string;
  /** Where QStash delivers, and what the `sub` of its signatures will be. */
  destination: string;
  failureCallback: string;
  /** Deliveries that QStash retries by itself. */
  retries: number;
  /** Lets QStash pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
  fetch: typeof fetch;
  clock: Clock;
}

/**
 * Publishes by one plain request. The SDK's `publish` takes no abort signal and has no timeout, so a QStash that
 * accepts the connection and stalls would hold it until the platform ends the function.
 * https://upstash.com/docs/qstash/api/publish
 */
export function createQstashPublisher(options: QstashPublisherOptions): Publisher {
  const { url, token, destination, fetch, clock } = options;
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "upstash-method": "POST",
    "upstash-retries": String(options.retries),
    "upstash-failure-callback": options.failureCallback,
    "upstash-label": "instagram",
  };
  if (options.bypassSecret !== null) {
    headers["upstash-forward-x-vercel-protection-bypass"] = options.bypassSecret;
    headers["upstash-failure-callback-forward-x-vercel-protection-bypass"] = options.bypassSecret;
  }

  return {
    async publish({ body, deduplicationId, traceparent }, timeoutMs) {
      const abort = new AbortController();
      const cancelTimer = clock.after(timeoutMs, () => abort.abort());
      try {
        const response = await fetch(`${url}/v2/publish/${destination}`, {
          method: "POST",
          redirect: "manual",
          signal: abort.signal,
          body,
          headers: {
            ...headers,
            "upstash-deduplication-id": deduplicationId,
            ...(traceparent === null ? {} : { "upstash-forward-traceparent": traceparent }),
          },
        });
        // The body belongs to the attempt: a response that stalls half-way is a timeout too.
        const text = await response.text();
        if (!response.ok) throw refusal(response.status);
        return { messageId: readMessageId(text) };
      } catch (thrown) {
        if (thrown instanceof RelayError) throw thrown;
        if (abort.signal.aborted)
          throw new RelayError("PUBLISH_TIMEOUT", `No answer from QStash within ${timeoutMs} ms`);
        throw new RelayError("PUBLISH_NETWORK", "QStash could not be reached", { cause: thrown });
      } finally {
        cancelTimer();
      }
    },
  };
}

function refusal(status: number): RelayError {
  if (status === 429) return new RelayError("PUBLISH_RATE_LIMITED", "QStash limits the rate (429)");
  if (status === 408 || status >= 500) return new RelayError("PUBLISH_UNAVAILABLE", `QStash answered ${status}`);
  return new RelayError("PUBLISH_REJECTED", `QStash refused the message (${status})`);
}

/** A 2xx means accepted, whatever its body says; the id is for the log. */
function readMessageId(text: string): string {
  try {
    const parsed = JSON.parse(text) as { messageId?: unknown };
    return typeof parsed.messageId === "string" ? parsed.messageId : "";
  } catch {
    return "";
  }
}
