import { fetchWithin, mayPass, type Network } from "#platform/bounded-fetch.ts";
import { ForwardError } from "#platform/forward-error.ts";
import { protectionBypassHeader } from "#platform/protection-bypass.ts";

import type { MessagePublisher, OutgoingMessage } from "../message-publisher.ts";
import { qstashPath } from "./qstash-path.ts";

export interface QstashMessagePublisherOptions extends Network {
  /** The base URL of the account's region. */
  qstashUrl: string;
  token: string;
  /** Our own base URL. */
  relayUrl: string;
  /** Lets QStash pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/**
 * Publishes messages to our own routes, beside the batches that `createQstashPublisher` publishes on the edge, where each
 * option costs bytes. https://upstash.com/docs/qstash/api/publish
 */
export function createQstashMessagePublisher(options: QstashMessagePublisherOptions): MessagePublisher {
  const { qstashUrl, token, relayUrl, bypassSecret } = options;
  const common: Record<string, string> = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "upstash-method": "POST",
    "upstash-failure-callback": `${relayUrl}/api/qstash/instagram-failure`,
  };
  if (bypassSecret !== null) {
    common[`upstash-forward-${protectionBypassHeader}`] = bypassSecret;
    common[`upstash-failure-callback-forward-${protectionBypassHeader}`] = bypassSecret;
  }
  return {
    async publish({ to, body, ...message }, timeoutMs) {
      const init = { method: "POST", body, headers: { ...common, ...headersOf(message) } };
      const { status, text } = await fetchWithin(
        timeoutMs,
        `${qstashUrl}/v2/publish/${relayUrl}${qstashPath(to)}`,
        init,
        options,
      );
      if (status < 200 || status > 299) {
        throw new ForwardError(
          mayPass(status) ? "PUBLISH_UNAVAILABLE" : "PUBLISH_REJECTED",
          `QStash answered ${status}`,
        );
      }
      const messageId = /"messageId":\s*"([\w-]+)"/.exec(text)?.[1];
      if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without a message's id`);
      return { messageId };
    },
  };
}

function headersOf({
  delayMs = 0,
  deduplicationId,
  flowControl,
  label,
  retries,
}: Omit<OutgoingMessage, "to" | "body">) {
  return {
    "upstash-label": label,
    "upstash-retries": String(retries),
    ...(delayMs > 0 ? { "upstash-delay": `${Math.ceil(delayMs / 1000)}s` } : {}),
    ...(deduplicationId === undefined ? {} : { "upstash-deduplication-id": deduplicationId }),
    ...(flowControl === undefined
      ? {}
      : { "upstash-flow-control-key": flowControl.key, "upstash-flow-control-value": flowControl.value }),
  };
}
