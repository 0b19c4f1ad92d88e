import { createHash } from "node:crypto";

import { SignJWT } from "jose";

export const signingKeys = { currentSigningKey: "sig_current_key", nextSigningKey: "sig_next_key" };

export interface TokenOptions {
  key?: string;
  sub?: string;
  issuer?: string;
  /** Null: a token that never expires. */
  expiresAt?: number | null;
  body: Uint8Array;
}

/** A delivery's signature as QStash makes it. https://upstash.com/docs/qstash/features/security */
export async function signDelivery({ key, sub, issuer, expiresAt, body }: TokenOptions): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const hash = createHash("sha256").update(body).digest("base64").replaceAll("+", "-").replaceAll("/", "_");
  const token = new SignJWT({ body: hash, nbf: -62_135_596_800, aud: "" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuer ?? "Upstash")
    .setSubject(sub ?? "")
    .setIssuedAt(now)
    .setJti("jwt_1");
  if (expiresAt !== null) token.setExpirationTime(expiresAt ?? now + 300);
  return token.sign(new TextEncoder().encode(key ?? signingKeys.currentSigningKey));
}
