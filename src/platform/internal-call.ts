// Calls of our own edge to our own Node routes, both ends of them.
import { type Answer, fetchWithin, type Network } from "./bounded-fetch.ts";
import type { Clock } from "./clock.ts";
import { RelayError } from "./errors.ts";
import { internalSignatureHeader, signInternal, verifyInternal } from "./internal-signature.ts";
import { readBody } from "./read-body.ts";

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

export interface ReadInternalCallOptions {
  /** Throws `ENV_INVALID` if there is none. */
  readSecret: () => string;
  bytesMax: number;
  timeoutMs: number;
  clock: Clock;
}

/** The body of such a call; throws `SIGNATURE_INVALID` for anybody else's, and what `readBody` throws. */
export async function readInternalCall(
  request: Request,
  { readSecret, bytesMax, timeoutMs, clock }: ReadInternalCallOptions,
): Promise<Uint8Array> {
  const secret = readSecret();
  const body = await readBody(request, { bytesMax, timeoutMs, clock });
  if (await verifyInternal(secret, body, request.headers.get(internalSignatureHeader), clock.nowMs())) return body;
  throw new RelayError("SIGNATURE_INVALID", `${internalSignatureHeader} is missing, wrong or too old`);
}
