import { bytesFromHex, hexFromBytes } from "./bytes.ts";
import { importHmacKey } from "./hmac-key.ts";

/**
 * How our own edge signs its calls to our own Node routes: `t=<seconds>,v1=<hex>`, the HMAC-SHA256 of `<seconds>.<body>`
 * under `RELAY_SECRET`.
 */
export const internalSignatureHeader = "x-relay-signature";

/** How far the two clocks may be apart, and how long a captured call can be repeated. */
const toleranceMs = 5 * 60_000;

const encoder = new TextEncoder();

export async function signInternal(secret: string, body: Uint8Array, nowMs: number): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  const key = await importHmacKey(secret, "sign");
  const mac = await crypto.subtle.sign("HMAC", key, signedBytes(seconds, body));
  return `t=${seconds},v1=${hexFromBytes(new Uint8Array(mac))}`;
}

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

function signedBytes(seconds: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = encoder.encode(`${seconds}.`);
  const bytes = new Uint8Array(prefix.byteLength + body.byteLength);
  bytes.set(prefix);
  bytes.set(body, prefix.byteLength);
  return bytes;
}
