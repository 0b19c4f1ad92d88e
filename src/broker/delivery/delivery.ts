import type { Clock } from "#platform/clock.ts";

import type { Attempt } from "../store/settlement.ts";
import { encodeHeaderText } from "../header-text.ts";
import type { Limits } from "../limits.ts";
import type { Message } from "../message.ts";
import type { Sender } from "./send.ts";
import { signDelivery } from "./signature.ts";
import type { SigningKeys } from "../store/signing-keys.ts";
import { toStorable } from "../text.ts";

export interface DeliveryOptions {
  signingKeys: SigningKeys;
  sender: Sender;
  limits: Limits;
  clock: Clock;
  newId: () => string;
}

/** Sends a message once; `abort` ends it early. Never rejects: whatever goes wrong is the attempt's `error`. */
export type Deliver = (message: Message, abort: AbortController) => Promise<Attempt>;

/** Creates the function that makes one attempt: it signs a message and sends it within the message's time limit. */
export function createDelivery(options: DeliveryOptions): Deliver {
  const { clock, limits, sender } = options;
  return async (message, abort) => {
    const timeoutMs = Math.min(message.timeoutMs ?? limits.attemptMsMax, limits.attemptMsMax);
    const cancelTimeout = clock.after(timeoutMs, () =>
      // The words of Go's context, which QStash's log shows.
      abort.abort(new Error("context deadline exceeded")),
    );
    try {
      const response = await sender.send({
        url: message.url,
        method: message.method,
        headers: deliveryHeaders(message, options),
        body: message.body,
        signal: abort.signal,
      });
      const succeeded = response.status >= 200 && response.status < 300;
      return { response, error: succeeded ? null : `the destination answered ${response.status}` };
    } catch (thrown) {
      return { response: null, error: describe(abort.signal.aborted ? abort.signal.reason : thrown) };
    } finally {
      cancelTimeout();
    }
  };
}

function deliveryHeaders(message: Message, options: DeliveryOptions): Record<string, string | string[]> {
  const headers = new Map<string, string | string[]>();
  for (const [name, values] of Object.entries(message.header))
    headers.set(name.toLowerCase(), values.map(encodeHeaderText));
  // Set last: what a publisher forwards cannot pass for what QStash says.
  const own = {
    "user-agent": "Upstash-QStash",
    "content-length":
      message.method === "GET" && message.body.byteLength === 0 ? null : String(message.body.byteLength),
    "upstash-message-id": message.messageId,
    "upstash-retried": String(message.retried),
    "upstash-caller-ip": message.callerIp,
    "upstash-region": "EU-CENTRAL-1",
    "upstash-topic-name": message.topicName,
    "upstash-schedule-id": message.scheduleId,
    "upstash-signature": signDelivery({
      url: message.url,
      body: message.body,
      signingKey: options.signingKeys.current().current,
      jwtId: `jwt_${options.newId()}`,
      nowMs: options.clock.nowMs(),
    }),
  };
  for (const [name, value] of Object.entries(own)) {
    if (value === null) headers.delete(name);
    else headers.set(name, encodeHeaderText(value));
  }
  return Object.fromEntries(headers);
}

/** Node names the address that it tried; several addresses are tried together and fail together. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "the delivery failed";
  const reason = thrown instanceof AggregateError ? thrown.errors.map(String).join("; ") : thrown.message;
  return toStorable(reason || thrown.name);
}
