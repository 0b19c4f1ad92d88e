import { createHash } from "node:crypto";

import { SignJWT } from "jose";

export interface SignatureInput {
  /** The destination as published. */
  url: string;
  body: Uint8Array;
  signingKey: string;
  jwtId: string;
  nowMs: number;
}

const validForSeconds = 300;
/** Go's zero time. QStash has sent it as `nbf` since 2024, so a receiver has to take it. */
const zeroTimeSeconds = -62_135_596_800;

/** The JWT of `Upstash-Signature`, with QStash's claims: an empty audience, and the body's hash with its `=` padding. */
export function signDelivery({ url, body, signingKey, jwtId, nowMs }: SignatureInput): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return new SignJWT({
    aud: "",
    body: createHash("sha256").update(body).digest("base64").replaceAll("+", "-").replaceAll("/", "_"),
    exp: iat + validForSeconds,
    iat,
    iss: "Upstash",
    jti: jwtId,
    nbf: zeroTimeSeconds,
    sub: url,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(signingKey));
}
