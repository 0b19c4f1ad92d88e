import { createHmac } from "node:crypto";

export const appSecret = "test-app-secret";

export interface SignOptions {
  secret?: string;
  /** How the two parts are written; Meta leaves the padding out. */
  padding?: boolean;
}

/** A `signed_request` as Meta makes it of this payload, a text being taken as it stands. */
export function signRequest(payload: unknown, { secret = appSecret, padding = false }: SignOptions = {}): string {
  const encode = (bytes: Buffer) =>
    padding ? bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_") : bytes.toString("base64url");
  const encoded = encode(Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)));
  const signature = createHmac("sha256", secret).update(encoded).digest();
  return `${encode(signature)}.${encoded}`;
}

/** The payload that Meta would send of this person. */
export function payloadOf(userId: string, issuedAt = 1_700_000_000) {
  return { user_id: userId, algorithm: "HMAC-SHA256", issued_at: issuedAt, expires: issuedAt + 3_600 };
}
