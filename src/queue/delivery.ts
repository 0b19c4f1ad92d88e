import { Receiver } from "@upstash/qstash";
import { decodeJwt } from "jose";

import { RelayError } from "#platform/errors.ts";

export interface QstashDeliveryOptions {
  currentSigningKey: string;
  nextSigningKey: string;
  /** The addresses we publish to, old and new while moving: one of them must be the signature's `sub`. */
  urls: readonly string[];
}

/**
 * Verifies that QStash sent this body to this route and returns the body as text. Throws `SIGNATURE_INVALID` for a
 * missing or foreign signature, a changed body, another address, an expired token or one that never expires.
 * https://upstash.com/docs/qstash/features/security
 */
export async function verifyQstashDelivery(
  body: Uint8Array,
  signature: string | null,
  options: QstashDeliveryOptions,
): Promise<string> {
  if (signature === null) throw new RelayError("SIGNATURE_INVALID", "Upstash-Signature is missing");
  // The receiver hashes text: a BOM must stay in it, and what is not UTF-8 comes out changed and is refused.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  try {
    const claims = decodeJwt(signature);
    if (typeof claims.exp !== "number") throw new Error("The token never expires");
    if (claims.sub === undefined || !options.urls.includes(claims.sub))
      throw new Error("The token is for another address");
    const receiver = new Receiver({
      currentSigningKey: options.currentSigningKey,
      nextSigningKey: options.nextSigningKey,
      // QSTASH_DEV=true would make the SDK accept the development keys, which everybody knows.
      devMode: false,
    });
    await receiver.verify({ signature, body: text, url: claims.sub });
    return text;
  } catch (thrown) {
    throw new RelayError("SIGNATURE_INVALID", "Upstash-Signature is not valid for this body, address and time", {
      cause: thrown,
    });
  }
}
