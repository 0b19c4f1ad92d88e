/** Who may see the dashboard and call the ops routes: whoever holds the OPS_TOKEN, or something signed with it. */

import { equalInConstantTime } from "#platform/bytes.ts";

export interface OpsKey {
  opsToken: string;
  nowMs: number;
}

export const sessionCookieName = "relay_session";

const lifetimesMs = { ticket: 12 * 3_600_000, session: 7 * 24 * 3_600_000 };
type Purpose = keyof typeof lifetimesMs;
export type SealState = "valid" | "expired" | "forged";

/** A link that signs its reader in for as long as the ticket lasts (12 h). The token itself is not in it. */
export async function createSignInLink({ baseUrl, ...key }: OpsKey & { baseUrl: string }): Promise<string> {
  return `${baseUrl}/dashboard/sign-in?ticket=${await seal("ticket", key)}`;
}

export function verifyTicket(ticket: string, key: OpsKey): Promise<SealState> {
  return verifySeal("ticket", ticket, key);
}

/** The session cookie's value; good for seven days. */
export function createSession(key: OpsKey): Promise<string> {
  return seal("session", key);
}

export async function verifySession(value: string | undefined, key: OpsKey): Promise<boolean> {
  return value !== undefined && (await verifySeal("session", value, key)) === "valid";
}

/** Whether an `Authorization` header carries the token, in a time that does not depend on where they differ. */
export async function verifyBearer(header: string | null, opsToken: string): Promise<boolean> {
  const token = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  return token !== undefined && (await equalInConstantTime(token, opsToken));
}

/** `<expiry in ms>.<HMAC of purpose and expiry>`: the purpose keeps a ticket from serving as a session, and back. */
async function seal(purpose: Purpose, { opsToken, nowMs }: OpsKey): Promise<string> {
  const expiresAtMs = nowMs + lifetimesMs[purpose];
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(opsToken), sealed(purpose, expiresAtMs));
  return `${expiresAtMs}.${Buffer.from(mac).toString("base64url")}`;
}

async function verifySeal(purpose: Purpose, value: string, { opsToken, nowMs }: OpsKey): Promise<SealState> {
  const parts = /^(\d{1,15})\.([\w-]{43})$/.exec(value);
  if (parts === null) return "forged";
  const expiresAtMs = Number(parts[1]);
  const mac = Buffer.from(parts[2] ?? "", "base64url");
  const genuine = await crypto.subtle.verify("HMAC", await hmacKey(opsToken), mac, sealed(purpose, expiresAtMs));
  if (!genuine) return "forged";
  return nowMs < expiresAtMs ? "valid" : "expired";
}

function sealed(purpose: Purpose, expiresAtMs: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`relay:${purpose}:${expiresAtMs}`);
}

function hmacKey(opsToken: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new TextEncoder().encode(opsToken), algorithm, false, ["sign", "verify"]);
}
