import { type Answer, fetchWithin, type Network } from "./bounded-fetch.ts";
import { ForwardError } from "./forward-error.ts";
import { internalSignatureHeader, signInternal } from "./internal-signature.ts";
import { protectionBypass } from "./protection-bypass.ts";

export interface InternalCallOptions extends Network {
  /** Our own base URL. */
  relayUrl: string;
  /** The route's path. */
  path: string;
  /** `RELAY_SECRET`. */
  secret: string;
  /** Lets the call pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/**
 * Posts a signed body to one of our own routes; ends within `timeoutMs`. Throws `TimeoutError`, what `fetch` throws, or
 * `RELAY_URL_REDIRECTS`. A redirect is not followed: the body may hold people's messages, and the operator did not
 * configure the address it leads to. QStash, which delivers to the same address, does not follow it either.
 */
export async function postInternal(
  body: Uint8Array<ArrayBuffer>,
  timeoutMs: number,
  { relayUrl, path, secret, bypassSecret, ...network }: InternalCallOptions,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init = {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      [internalSignatureHeader]: await signInternal(secret, `POST ${path}`, body, network.clock.nowMs()),
      ...protectionBypass(bypassSecret),
      ...headers,
    },
  };
  const answer = await fetchWithin(timeoutMs, relayUrl + path, init, network);
  // Where fetch keeps to its specification, a redirect that is not followed has the status 0 and no headers.
  if (answer.status < 200 || (answer.status > 299 && answer.status < 400)) {
    const location = answer.headers.get("location")?.split("?")[0] ?? "another address";
    throw new ForwardError("RELAY_URL_REDIRECTS", `RELAY_URL redirects to ${location}`);
  }
  return answer;
}
