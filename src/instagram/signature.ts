import { bytesFromHex, hexFromBytes } from "#platform/bytes.ts";
import { importHmacKey } from "#platform/hmac-key.ts";

/**
 * Meta's `X-Hub-Signature-256`: `sha256=` and the hex HMAC-SHA256 of the raw request bytes, keyed with the app secret.
 * https://developers.facebook.com/docs/messenger-platform/webhooks#validate-payloads
 */
const headerPattern = /^sha256=[0-9a-f]{64}$/;
const prefix = "sha256=";

/** Checks raw bodies against any of several app secrets; the keys are imported once and kept. */
export interface SignatureVerifier {
  /** The index of the secret that signed the body, the first being 0; null if none did or the header is no signature. */
  verify(body: Uint8Array, header: string | null): Promise<number | null>;
}

/**
 * Whether the header is well formed; says nothing of the body. A header that was sent twice arrives joined by a comma and
 * is not well formed.
 */
export function isSignature(header: string | null): header is string {
  return headerPattern.test(header ?? "");
}

/** `secrets`: the app secrets as Meta shows them. */
export function createSignatureVerifier(secrets: readonly string[]): SignatureVerifier {
  let keys: Promise<CryptoKey[]> | undefined;
  return {
    async verify(body, header) {
      if (!isSignature(header)) return null;
      const signature = bytesFromHex(header.slice(prefix.length));
      keys ??= Promise.all(secrets.map((secret) => importHmacKey(secret, "verify")));
      for (const [index, key] of (await keys).entries()) {
        // `verify` compares in constant time. https://www.w3.org/TR/webcrypto/#hmac-operations
        if (await crypto.subtle.verify("HMAC", key, signature, body as BufferSource)) return index;
      }
      return null;
    },
  };
}

/** The header value with which Meta would send this body. */
export async function signBody(secret: string, body: Uint8Array): Promise<string> {
  const key = await importHmacKey(secret, "sign");
  const signature = await crypto.subtle.sign("HMAC", key, body as BufferSource);
  return `${prefix}${hexFromBytes(new Uint8Array(signature))}`;
}
