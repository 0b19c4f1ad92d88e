import type { Clock } from "#platform/clock.ts";

import type { Attempt } from "./broker-store.ts";
import { type Message, toHeaderMap } from "./message.ts";
import { signDelivery } from "./signature.ts";

export interface DeliveryOptions {
  currentSigningKey: string;
  clock: Clock;
  newId: () => string;
  fetch: typeof fetch;
}

/** Sends a message once; `abort` ends it early. Never rejects: whatever goes wrong is the attempt's `error`. */
export type Deliver = (message: Message, abort: AbortController) => Promise<Attempt>;

/**
 * The longest a destination may take; `Upstash-Timeout` can only shorten it. QStash's free plan gives 15 minutes, but
 * Node's `fetch` gives up on a response that has not begun after five.
 */
const timeoutMsMax = 5 * 60_000;
/** What is kept of a response. */
const responseBytesMax = 1024 * 1024;

export function createDelivery(options: DeliveryOptions): Deliver {
  const { clock } = options;
  return async (message, abort) => {
    const cancelTimeout = clock.after(Math.min(message.timeoutMs ?? timeoutMsMax, timeoutMsMax), () =>
      // The words of Go's context, which QStash's log shows.
      abort.abort(new Error("context deadline exceeded")),
    );
    try {
      const response = await options.fetch(message.url, {
        method: message.method,
        headers: await deliveryHeaders(message, options),
        // A response to a redirected POST would be that of another URL, perhaps to a GET without the body.
        redirect: "manual",
        signal: abort.signal,
        ...(message.body.byteLength > 0 ? { body: new Uint8Array(message.body) } : {}),
      });
      const body = await readUpTo(response, responseBytesMax);
      const error = response.ok ? null : `the destination answered ${response.status}`;
      return { response: { status: response.status, header: toHeaderMap(response.headers), body }, error };
    } catch (thrown) {
      return { response: null, error: describe(abort.signal.aborted ? abort.signal.reason : thrown) };
    } finally {
      cancelTimeout();
    }
  };
}

async function deliveryHeaders(message: Message, options: DeliveryOptions): Promise<Headers> {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.header)) {
    for (const value of values) headers.append(name, value);
  }
  // Set last: what a publisher forwards cannot pass for what QStash says.
  headers.set("user-agent", "Upstash-QStash");
  headers.set("upstash-message-id", message.messageId);
  headers.set("upstash-retried", String(message.retried));
  headers.set("upstash-caller-ip", message.callerIp);
  headers.set("upstash-region", "EU-CENTRAL-1");
  headers.set(
    "upstash-signature",
    await signDelivery({
      url: message.url,
      body: message.body,
      signingKey: options.currentSigningKey,
      jwtId: `jwt_${options.newId()}`,
      nowMs: options.clock.nowMs(),
    }),
  );
  return headers;
}

/** The beginning of the body; the rest is not waited for. */
async function readUpTo(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk.subarray(0, bytesMax - bytes));
    bytes += chunk.byteLength;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(chunks);
}

/** fetch says "fetch failed" and leaves the reason to the cause. Postgres has no NUL in text. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "the delivery failed";
  const reason = thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
  return reason.replaceAll("\0", "");
}
