import { hexFromBytes } from "./bytes.ts";
import { importHmacKey } from "./hmac-key.ts";

/**
 * How our own functions sign their calls to each other: `t=<seconds>,v1=<hex>`, the HMAC-SHA256 of `<seconds>.<body>`
 * under `RELAY_SECRET`.
 */
export const internalSignatureHeader = "x-relay-signature";

const encoder = new TextEncoder();

export async function signInternal(secret: string, body: Uint8Array, nowMs: number): Promise<string> {
  const seconds = Math.floor(nowMs / 1000);
  const key = await importHmacKey(secret, "sign");
  const mac = await crypto.subtle.sign("HMAC", key, signedBytes(seconds, body));
  return `t=${seconds},v1=${hexFromBytes(new Uint8Array(mac))}`;
}

/** What the signature is of. */
export function signedBytes(seconds: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = encoder.encode(`${seconds}.`);
  const bytes = new Uint8Array(prefix.byteLength + body.byteLength);
  bytes.set(prefix);
  bytes.set(body, prefix.byteLength);
  return bytes;
}
