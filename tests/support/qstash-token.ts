import { createHash } from "node:crypto";

import { type JWTHeaderParameters, SignJWT } from "jose";

export const signingKeys = { currentSigningKey: "sig_current_key", nextSigningKey: "sig_next_key" };

export interface TokenOptions {
  key?: string;
  sub?: string;
  issuer?: string;
  /** Null: a token that never expires. */
  expiresAt?: number | null;
  /** Seconds since the epoch. */
  notBefore?: number;
  header?: JWTHeaderParameters;
  body: Uint8Array;
}

/** A delivery's signature as QStash makes it. https://upstash.com/docs/qstash/features/security */
export async function signDelivery(options: TokenOptions): Promise<string> {
  const { key, sub, issuer, expiresAt, notBefore = -62_135_596_800, header, body } = options;
  const now = Math.floor(Date.now() / 1000);
  const hash = createHash("sha256").update(body).digest("base64").replaceAll("+", "-").replaceAll("/", "_");
  const token = new SignJWT({ body: hash, nbf: notBefore, aud: "" })
    .setProtectedHeader({ typ: "JWT", ...(header ?? { alg: "HS256" }) })
    .setIssuer(issuer ?? "Upstash")
    .setSubject(sub ?? "")
    .setIssuedAt(now)
    .setJti("jwt_1");
  if (expiresAt !== null) token.setExpirationTime(expiresAt ?? now + 300);
  return token.sign(new TextEncoder().encode(key ?? signingKeys.currentSigningKey), { crit: { b64: true } });
}
