import { bytesFromHex, hexFromBytes } from "#platform/bytes.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

/**
 * Meta's `X-Hub-Signature-256`: `sha256=` and the hex HMAC-SHA256 of the raw request bytes, keyed with the app secret.
 * https://developers.facebook.com/docs/messenger-platform/webhooks#validate-payloads
 */
const headerPattern = /^sha256=([0-9a-f]{64})$/;

/** What checking a signature came to. The index is that of the secret that matched; nothing else of it is told. */
export type SignatureCheck =
  | { valid: true; secretIndex: number }
  | { valid: false; reason: "missing" | "malformed" | "mismatch" };

/** Checks raw bodies against any of several app secrets; the keys are imported once and kept. */
export interface SignatureVerifier {
  verify(body: Uint8Array, header: string | null): Promise<SignatureCheck>;
}

/** `secrets`: the app secrets as Meta shows them, in the order in which `secretIndex` counts them. */
export function createSignatureVerifier(secrets: readonly string[]): SignatureVerifier {
  let keys: Promise<CryptoKey[]> | undefined;
  return {
    async verify(body, header) {
      if (header === null || header === "") return { valid: false, reason: "missing" };
      // A header sent twice arrives as one, joined by a comma, and is refused with everything else that is not exact.
      const hex = headerPattern.exec(header)?.[1];
      if (hex === undefined) return { valid: false, reason: "malformed" };
      const signature = bytesFromHex(hex);
      keys ??= Promise.all(secrets.map((secret) => importHmacKey(secret, "verify")));
      for (const [secretIndex, key] of (await keys).entries()) {
        // `verify` compares in constant time. https://www.w3.org/TR/webcrypto/#hmac-operations
        if (await crypto.subtle.verify("HMAC", key, signature, body as BufferSource))
          return { valid: true, secretIndex };
      }
      return { valid: false, reason: "mismatch" };
    },
  };
}

/** The header value with which Meta would send this body. */
export async function signBody(secret: string, body: Uint8Array): Promise<string> {
  const key = await importHmacKey(secret, "sign");
  const signature = await crypto.subtle.sign("HMAC", key, body as BufferSource);
  return `sha256=${hexFromBytes(new Uint8Array(signature))}`;
}
