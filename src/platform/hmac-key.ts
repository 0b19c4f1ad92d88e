import { encoder } from "./bytes.ts";

/** Imports a secret, as its owner shows it, as a key for one use of HMAC-SHA256. */
export function importHmacKey(secret: string, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}
