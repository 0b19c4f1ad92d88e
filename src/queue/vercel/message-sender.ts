import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { ForwardError } from "#platform/forward-error.ts";

import type { QueueRoute } from "../queue-route.ts";
import { readRetryAfterMs, refusal } from "../refusal.ts";
import { signMessage } from "./signed-message.ts";
import { vercelTopic } from "./vercel-topic.ts";

export interface MessageSenderOptions extends Network {
  /** The base URL of the region's API. */
  url: string;
  /** For each request anew. Throws `PUBLISH_UNAUTHORIZED`. */
  readToken: () => string;
  /** To which the message belongs: only it is called. Null: any deployment of the environment. */
  deploymentId: string | null;
  /** RELAY_SECRET. */
  secret: string;
}

/** A message to be sent. */
export interface NewMessage {
  to: QueueRoute;
  body: Uint8Array<ArrayBuffer>;
  /** Equal for every attempt at the same message. */
  deduplicationId: string;
  /** Deliveries after the first, if it fails; null without an end. */
  retries: number | null;
  headers: Record<string, string>;
}

/** One attempt to send a message; settles within `timeoutMs`. Its errors are the `PUBLISH_…` codes. */
export type SendMessage = (message: NewMessage, timeoutMs: number) => Promise<{ status: number; messageId: string }>;

/** The longest that Vercel keeps a message. */
const retentionS = "604800";

/** Sends messages by the HTTP API, as @vercel/queue 0.6.0 does. https://vercel.com/docs/queues/api */
export function createMessageSender(options: MessageSenderOptions): SendMessage {
  const { url, readToken, deploymentId, secret } = options;
  return async ({ to, body, deduplicationId, retries, headers }, timeoutMs) => {
    const topic = vercelTopic(to);
    const init = {
      method: "POST",
      body: await signMessage(secret, topic, retries, body),
      headers: {
        authorization: `Bearer ${readToken()}`,
        "content-type": "application/octet-stream",
        "vqs-idempotency-key": deduplicationId,
        "vqs-retention-seconds": retentionS,
        ...(deploymentId === null ? {} : { "vqs-deployment-id": deploymentId }),
        ...headers,
      },
    };
    const answer = await fetchWithin(timeoutMs, `${url}/api/v3/topic/${topic}`, init, options);
    const { status, text } = answer;
    if (status < 200 || status > 299) throw refusal("Vercel Queues", answer, readRetryAfterMs(answer));
    // 202: kept, and it gets an id later.
    const messageId = status === 202 ? deduplicationId : /"messageId":\s*"([^"\\]{1,200})"/.exec(text)?.[1];
    if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without a message's id`);
    return { status, messageId };
  };
}
