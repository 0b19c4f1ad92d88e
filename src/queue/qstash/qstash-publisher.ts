import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { protectionBypassHeader } from "#platform/protection-bypass.ts";

import type { QueuePublisher } from "../publisher.ts";
import { refusal } from "../refusal.ts";

/** QStash's smallest plan takes 1 MB a message; its failure callback repeats the body in base64, a third larger. */
export const qstashBytesMax = 600_000;

export interface QstashPublisherOptions extends Network {
  /** The base URL of the account's region. */
  url: string;
  token: string;
  /** Where QStash delivers; the `sub` of its signatures. */
  destination: string;
  failureCallback: string;
  /** Deliveries that QStash retries by itself. */
  retries: number;
  /**
   * How many deliveries QStash makes at once. Null: no limit, and no flow-control key. A limit too high to matter would
   * let ingestion be paused too, but QStash documents no highest one, and a refused publish is worse than no pause.
   * https://upstash.com/docs/qstash/features/flowcontrol
   */
  parallelism: number | null;
  /** Lets QStash pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/**
 * Publishes by one plain request. The SDK's `publish` takes no abort signal and has no timeout, so a QStash that
 * accepts the connection and stalls would hold it until the platform ends the function. Its errors are the `PUBLISH_…`
 * codes. https://upstash.com/docs/qstash/api/publish
 */
export function createQstashPublisher(options: QstashPublisherOptions): QueuePublisher {
  const { url, token, destination, clock } = options;
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "upstash-method": "POST",
    "upstash-retries": String(options.retries),
    "upstash-failure-callback": options.failureCallback,
    "upstash-label": "instagram",
  };
  if (options.parallelism !== null) {
    headers["upstash-flow-control-key"] = "instagram";
    headers["upstash-flow-control-value"] = `parallelism=${options.parallelism}`;
  }
  if (options.bypassSecret !== null) {
    headers[`upstash-forward-${protectionBypassHeader}`] = options.bypassSecret;
    headers[`upstash-failure-callback-forward-${protectionBypassHeader}`] = options.bypassSecret;
  }

  return {
    bytesMax: qstashBytesMax,
    async publish({ body, deduplicationId, traceparent }, timeoutMs) {
      const init = {
        method: "POST",
        body,
        headers: {
          ...headers,
          "upstash-deduplication-id": deduplicationId,
          ...(traceparent === null ? {} : { "upstash-forward-traceparent": traceparent }),
        },
      };
      const answer = await fetchWithin(timeoutMs, `${url}/v2/publish/${destination}`, init, options);
      const { status } = answer;
      // A redirect that is not followed has the status 0 where fetch keeps to its specification.
      if (status < 200 || status > 299) throw refusal("QStash", answer, untilReset(answer.headers, clock.nowMs()));
      const messageId = /"messageId":\s*"([\w-]+)"/.exec(answer.text)?.[1];
      // Another server answers at this address, or a proxy before it. If it was QStash after all, the fallback repeats
      // the events, and their keys prevent that they are stored twice.
      if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without a message's id`);
      return { status, messageId };
    },
  };
}

/** The end of a burst, or of the day, which QStash gives in seconds since the epoch. https://upstash.com/docs/qstash/api/api-ratelimiting */
function untilReset(headers: Headers, nowMs: number): number | undefined {
  const reset = headers.get("burst-ratelimit-reset") ?? headers.get("ratelimit-reset");
  return reset !== null && /^\d{1,12}$/.test(reset) ? Math.max(0, Number(reset) * 1000 - nowMs) : undefined;
}
