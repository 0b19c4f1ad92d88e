import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { internalSignatureHeader, signInternal } from "#platform/internal-signature.ts";
import { isSuccess } from "#platform/qstash-api.ts";

import type { AlertAddress } from "./alert-address.ts";
import { type AlertMessage, encodeAlertMessage } from "./alert-message.ts";

export interface PostAlertOptions extends Network {
  /** RELAY_SECRET. */
  secret: string;
}

/** What a receiver answered, in words. */
export interface PostResult {
  isSent: boolean;
  result: string;
}

/** The signature covers this instead of a route: nothing that was signed for a receiver is accepted by a route of ours. */
export const alertPurpose = "alert";

const timeoutMs = 5_000;
/** The answer is not used; what comes after is not read. */
const answerBytesMax = 10_000;

/**
 * Posts a message to one address, in at most five seconds, without following a redirect. The JSON form is signed as our
 * internal calls are, see internal-signature.ts, for the purpose `alert`. Never rejects.
 */
export async function postAlert(
  message: AlertMessage,
  { url, form }: AlertAddress,
  { secret, fetch, clock }: PostAlertOptions,
): Promise<PostResult> {
  const body = new TextEncoder().encode(encodeAlertMessage(message, form));
  const signature = form === "json" ? await signInternal(secret, alertPurpose, body, clock.nowMs()) : null;
  const headers = {
    "content-type": "application/json",
    "user-agent": "instagram-webhook-relay",
    ...(signature === null ? {} : { [internalSignatureHeader]: signature }),
  };
  try {
    const init: RequestInit = { method: "POST", body, headers, cache: "no-store" };
    const { status } = await fetchWithin(timeoutMs, url, init, { fetch, clock, answerBytesMax });
    if (isSuccess(status)) return { isSent: true, result: `answered ${status}` };
    const isRedirect = status === 0 || (status >= 300 && status < 400);
    return { isSent: false, result: isRedirect ? "redirects, which is not followed" : `answered ${status}` };
  } catch (thrown) {
    return { isSent: false, result: describeFailure(thrown) };
  }
}

/** Only names and codes: a message of `fetch` may have the address. */
function describeFailure(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "could not be reached";
  if (thrown.name === "TimeoutError") return `no answer within ${timeoutMs / 1_000} s`;
  const code: unknown = (thrown.cause as { code?: unknown } | undefined)?.code;
  return `could not be reached${typeof code === "string" && /^[A-Z_]+$/.test(code) ? ` (${code})` : ""}`;
}
