import { bytesFromHex } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import { RelayError } from "./errors.ts";
import { importHmacKey } from "./hmac-key.ts";
import { internalSignatureHeader, signedBytes } from "./internal-signature.ts";
import { readBody } from "./read-body.ts";

// Apart from the sending end, of which alone the webhook's edge function is made.

export interface ReadInternalOptions {
  /** Throws `ENV_INVALID` if there is none. */
  readSecret: () => string;
  bytesMax: number;
  timeoutMs: number;
  clock: Clock;
}

/** The body of one of our own calls; throws `SIGNATURE_INVALID` for anybody else's, and what `readBody` throws. */
export async function readInternal(
  request: Request,
  { readSecret, bytesMax, timeoutMs, clock }: ReadInternalOptions,
): Promise<Uint8Array> {
  const secret = readSecret();
  const body = await readBody(request, { bytesMax, timeoutMs, clock });
  if (await verifyInternal(secret, body, request.headers.get(internalSignatureHeader), clock.nowMs())) return body;
  throw new RelayError("SIGNATURE_INVALID", `${internalSignatureHeader} is missing, wrong or too old`);
}

/** How far the two clocks may be apart, and how long a captured call can be repeated. */
const toleranceMs = 5 * 60_000;

/** Whether the header is ours, for this body and not older (or newer) than five minutes. Constant time, never throws. */
export async function verifyInternal(
  secret: string,
  body: Uint8Array,
  header: string | null,
  nowMs: number,
): Promise<boolean> {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? "");
  const [, seconds, hex] = match ?? [];
  if (seconds === undefined || hex === undefined) return false;
  if (Math.abs(nowMs - Number(seconds) * 1000) > toleranceMs) return false;
  const key = await importHmacKey(secret, "verify");
  return crypto.subtle.verify("HMAC", key, bytesFromHex(hex), signedBytes(Number(seconds), body));
}
