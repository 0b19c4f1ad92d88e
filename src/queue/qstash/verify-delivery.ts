import { decodeJwt, decodeProtectedHeader, type JWTPayload } from "jose";

import type { Clock } from "#platform/clock.ts";
import { parseBaseUrl } from "#platform/env.ts";
import { RelayError } from "#platform/errors.ts";

export interface QstashDeliveryOptions {
  currentSigningKey: string;
  nextSigningKey: string;
  /** The addresses we publish to, old and new while moving: one of them must be the signature's `sub`. */
  urls: readonly string[];
}

/**
 * SHA-256 without promises: WebCrypto hands each digest to another thread, and a call's three cost 0.2 ms of CPU time,
 * twenty times as much as the digests.
 */
export interface Digests {
  /** In base64url without padding. */
  sha256(bytes: Uint8Array): string;
  /** Whether this base64url without padding is the text's HMAC, in a time that does not depend on the HMAC. */
  isHmacSha256(key: string, text: string, mac: string): boolean;
}

/**
 * Verifies that QStash sent this body to this route and returns the body as text. Throws `SIGNATURE_INVALID` for a
 * missing or foreign signature, a changed body, another address, and a token that has expired or never expires; throws what
 * `readBody` throws. The body is read last: the SDK's receiver wants it first, so any stranger could fill the memory. https://upstash.com/docs/qstash/features/security
 */
export async function verifyDelivery(
  signature: string | null,
  readBody: () => Promise<Uint8Array<ArrayBuffer>>,
  { urls, clock, digests, ...keys }: QstashDeliveryOptions & { clock: Pick<Clock, "nowMs">; digests: Digests },
): Promise<string> {
  if (signature === null) throw new RelayError("SIGNATURE_INVALID", "Upstash-Signature is missing");
  // After a rotation QStash signs with the former next key.
  const claims = readToken(signature, [keys.currentSigningKey, keys.nextSigningKey], digests);
  checkClaims(claims, Math.floor(clock.nowMs() / 1000));
  // A batch published before the address had its present form is signed for the old form of the same address.
  if (!urls.includes(parseBaseUrl(claims.sub ?? "") ?? "")) throw invalid("The token is for another address");
  const body = await readBody();
  if (unpadded(claims["body"]) !== digests.sha256(body)) throw invalid("The token is for another body");
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
}

/** The claims of a token that one of the keys has signed with HS256, and whose header asks for nothing else (RFC 7515, 4.1.11). */
function readToken(token: string, signingKeys: readonly string[], { isHmacSha256 }: Digests): JWTPayload {
  try {
    const { alg, crit } = decodeProtectedHeader(token);
    const end = token.lastIndexOf(".");
    // Anyone can sign with an empty key.
    const isSigned = (key: string) => key !== "" && isHmacSha256(key, token.slice(0, end), token.slice(end + 1));
    if (alg === "HS256" && crit === undefined && signingKeys.some(isSigned)) return decodeJwt(token);
  } catch (thrown) {
    throw invalid("The token is malformed", thrown);
  }
  throw invalid("The token is signed with another key or algorithm");
}

function checkClaims({ iss, exp, nbf, sub, body }: JWTPayload, nowSeconds: number): void {
  if (iss !== "Upstash") throw invalid("The token has another issuer");
  // JSON's 1e400 is read as infinity.
  if (typeof exp !== "number" || !(exp > nowSeconds && exp < Infinity))
    throw invalid("The token has expired, or never expires");
  if (nbf !== undefined && !(typeof nbf === "number" && nbf <= nowSeconds)) throw invalid("The token is not valid yet");
  if (typeof sub !== "string" || typeof body !== "string") throw invalid("The token names no address or no body");
}

/** In the form of a digest; some versions of QStash leave the padding out. */
function unpadded(base64: unknown): string {
  return String(base64).replace(/=+$/, "");
}

function invalid(reason: string, cause?: unknown): RelayError {
  const message = "Upstash-Signature is not valid for this body, address and time";
  return new RelayError("SIGNATURE_INVALID", message, { cause: new Error(reason, { cause }) });
}
