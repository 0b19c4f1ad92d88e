import { encoder, equalInConstantTime, hexFromBytes } from "./bytes.ts";
import { importHmacKey } from "./hmac-key.ts";

/**
 * How our own functions sign what they send each other: `t=<seconds>,v2=<hex>`, the HMAC-SHA256 of
 * `<seconds>.<purpose>`, a line feed and the body under `RELAY_SECRET`. The purpose of a call is its method and path, as
 * in `POST /api/internal/reports`: what was signed for one route is refused by every other.
 */
export const internalSignatureHeader = "x-relay-signature";

/** How far the two clocks may be apart, and how long a captured call can be repeated. */
const toleranceMs = 5 * 60_000;

/** The header value with which a call of our own is signed at `nowMs`. `purpose`: its method and path. */
export async function signInternal(secret: string, purpose: string, body: Uint8Array, nowMs: number): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  const prefix = encoder.encode(`${seconds}.${purpose}\n`);
  const bytes = new Uint8Array(prefix.byteLength + body.byteLength);
  bytes.set(prefix);
  bytes.set(body, prefix.byteLength);
  const mac = await crypto.subtle.sign("HMAC", await importHmacKey(secret, "sign"), bytes);
  return `t=${seconds},v2=${hexFromBytes(new Uint8Array(mac))}`;
}

/**
 * When a signature claims to have been made, in milliseconds since the epoch; undefined if it is malformed or that is more
 * than five minutes from now. Needs no body, so that a stranger's body need not be read.
 */
export function signedAtMs(header: string | null, nowMs: number): number | undefined {
  const seconds = /^t=(\d{1,12}),v2=[0-9a-f]{64}$/.exec(header ?? "")?.[1];
  const atMs = Number(seconds) * 1000;
  return Math.abs(nowMs - atMs) <= toleranceMs ? atMs : undefined;
}

/** Whether we made the header for this purpose and body within the last five minutes. Constant time; never throws. */
export async function verifyInternal(
  secret: string,
  purpose: string,
  body: Uint8Array,
  header: string | null,
  nowMs: number,
): Promise<boolean> {
  const atMs = signedAtMs(header, nowMs);
  return atMs !== undefined && equalInConstantTime(header ?? "", await signInternal(secret, purpose, body, atMs));
}
