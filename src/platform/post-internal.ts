import { type Answer, fetchWithin, type Network } from "./bounded-fetch.ts";
import { internalSignatureHeader, signInternal } from "./internal-signature.ts";

export interface InternalCallOptions extends Network {
  url: string;
  /** `RELAY_SECRET`. */
  secret: string;
  /** Lets the call pass Vercel's Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/** Posts a signed body to one of our own routes; ends within `timeoutMs`. Throws `TimeoutError` or what `fetch` throws. */
export async function postInternal(
  body: Uint8Array<ArrayBuffer>,
  timeoutMs: number,
  { url, secret, bypassSecret, ...network }: InternalCallOptions,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init = {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      [internalSignatureHeader]: await signInternal(secret, body, network.clock.nowMs()),
      ...(bypassSecret === null ? {} : { "x-vercel-protection-bypass": bypassSecret }),
      ...headers,
    },
  };
  return fetchWithin(timeoutMs, url, init, network);
}
