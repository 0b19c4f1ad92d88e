import { errors, type JWTPayload, jwtVerify } from "jose";

import { base64FromBytes } from "#platform/bytes.ts";
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
 * Verifies that QStash sent this body to this route and returns the body as text. Throws `SIGNATURE_INVALID` for a
 * missing or foreign signature, a changed body, another address, and a token that has expired or never expires; throws what
 * `readBody` throws. The body is read last: the SDK's receiver wants it first, so any stranger could fill the memory. https://upstash.com/docs/qstash/features/security
 */
export async function verifyDelivery(
  signature: string | null,
  readBody: () => Promise<Uint8Array<ArrayBuffer>>,
  { urls, clock, ...keys }: QstashDeliveryOptions & { clock: Clock },
): Promise<string> {
  if (signature === null) throw new RelayError("SIGNATURE_INVALID", "Upstash-Signature is missing");
  let claims: JWTPayload;
  try {
    claims = await verifyToken(signature, [keys.currentSigningKey, keys.nextSigningKey], new Date(clock.nowMs()));
  } catch (thrown) {
    throw invalid(thrown);
  }
  // A batch published before the address had its present form is signed for the old form of the same address.
  if (!urls.includes(parseBaseUrl(claims.sub ?? "") ?? ""))
    throw invalid(new Error("The token is for another address"));
  const body = await readBody();
  if (claims["body"] !== (await hashOf(body))) throw invalid(new Error("The token is for another body"));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
}

/** Tries both keys: after a rotation QStash signs with the former next one. */
async function verifyToken(token: string, signingKeys: readonly string[], currentDate: Date): Promise<JWTPayload> {
  let failure: unknown;
  for (const signingKey of signingKeys) {
    try {
      const { payload } = await jwtVerify(token, new TextEncoder().encode(signingKey), {
        algorithms: ["HS256"],
        issuer: "Upstash",
        requiredClaims: ["exp", "sub", "body"],
        currentDate,
      });
      return { ...payload, body: unpadded(String(payload["body"])) };
    } catch (thrown) {
      failure = thrown;
      if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  throw failure;
}

/** In the token's form; some versions of QStash leave the padding out. */
async function hashOf(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return unpadded(base64FromBytes(hash).replaceAll("+", "-").replaceAll("/", "_"));
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, "");
}

function invalid(cause: unknown): RelayError {
  const message = "Upstash-Signature is not valid for this body, address and time";
  return new RelayError("SIGNATURE_INVALID", message, { cause });
}
