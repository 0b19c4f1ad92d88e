import { createHmac, timingSafeEqual } from "node:crypto";

import { createSignatureVerifier, isSignature, type SignatureVerifier } from "#instagram/signature.ts";

/** A larger body would hold up the thread for longer than it takes to hand it over. */
const bytesMax = 64_000;

/**
 * The same as `createSignatureVerifier`, in Node and without promises for usual bodies: WebCrypto hands each to another thread,
 * which takes more CPU time than the digest.
 */
export function createNodeSignatureVerifier(secrets: readonly string[]): SignatureVerifier {
  const forLarge = createSignatureVerifier(secrets);
  return {
    async verify(body, header) {
      if (body.byteLength > bytesMax) return forLarge.verify(body, header);
      if (!isSignature(header)) return null;
      const given = Buffer.from(header.slice(header.indexOf("=") + 1), "hex");
      const index = secrets.findIndex((secret) =>
        timingSafeEqual(createHmac("sha256", secret).update(body).digest(), given),
      );
      return index === -1 ? null : index;
    },
  };
}
