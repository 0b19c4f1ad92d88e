/**
 * Tickets and sessions: an expiry and an id, signed with a token. Their holder may do what the token's role allows, under its
 * name, for as long as the token is configured.
 */

import { equalInConstantTime } from "#platform/bytes.ts";
import type { OpsToken } from "#platform/ops-token.ts";

/** What a seal is verified with. */
export interface OpsKeys {
  /** One of them signed it, or it is forged. */
  tokens: readonly OpsToken[];
  nowMs: number;
}

/** A ticket or a session that is genuine and has not expired. */
export interface Seal {
  /** Random; the store records it when the seal is used up or ended before it expires. */
  id: string;
  expiresAtMs: number;
}

/** A seal and the token that it was signed with. */
export interface SignedSeal extends Seal {
  signer: OpsToken;
}

interface NewSeal {
  /** The token to sign with. */
  opsToken: string;
  nowMs: number;
  /** Random and never used before; a UUID. */
  id: string;
}

/** How long a session lasts, in milliseconds. */
export const sessionLifetimeMs = 7 * 24 * 3_600_000;
const lifetimesMs = { ticket: 12 * 3_600_000, session: sessionLifetimeMs };
type Purpose = keyof typeof lifetimesMs;

/** A link that signs in the first browser that opens it within twelve hours. It does not contain the token. */
export async function createSignInLink({ baseUrl, ...seal }: NewSeal & { baseUrl: string }): Promise<string> {
  return `${baseUrl}/dashboard/sign-in?ticket=${await createSeal("ticket", seal)}`;
}

/** The ticket of a sign-in link. The store knows whether it was used. */
export function readTicket(ticket: string, keys: OpsKeys): Promise<SignedSeal | "expired" | "forged"> {
  return readSeal("ticket", ticket, keys);
}

/** The session cookie's value; good for seven days. */
export function createSession(seal: NewSeal): Promise<string> {
  return createSeal("session", seal);
}

/** Null unless the value is a genuine session that has not expired. The store knows whether it was ended. */
export async function readSession(value: string | undefined, keys: OpsKeys): Promise<SignedSeal | null> {
  const seal = value === undefined ? "forged" : await readSeal("session", value, keys);
  return typeof seal === "string" ? null : seal;
}

/** The token of an `Authorization` header; null if it has none. */
export function readBearer(header: string): string | null {
  return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? null;
}

/** The one of the tokens that the text is, or undefined. Each is compared, in constant time. */
export async function findToken(given: string, tokens: readonly OpsToken[]): Promise<OpsToken | undefined> {
  const equal = await Promise.all(tokens.map(({ token }) => equalInConstantTime(given, token)));
  return tokens[equal.indexOf(true)];
}

/** `<expiry in ms>.<id>.<HMAC of purpose, expiry and id>`: with the purpose in it, a ticket cannot serve as a session. */
async function createSeal(purpose: Purpose, { opsToken, nowMs, id }: NewSeal): Promise<string> {
  const expiresAtMs = nowMs + lifetimesMs[purpose];
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(opsToken), sealed(purpose, { id, expiresAtMs }));
  return `${expiresAtMs}.${id}.${Buffer.from(mac).toString("base64url")}`;
}

async function readSeal(
  purpose: Purpose,
  value: string,
  { tokens, nowMs }: OpsKeys,
): Promise<SignedSeal | "expired" | "forged"> {
  const [, expiry = "", id = "", mac = ""] = /^(\d{1,15})\.([\da-f-]{36})\.([\w-]{43})$/.exec(value) ?? [];
  const seal = { id, expiresAtMs: Number(expiry) };
  const given = Buffer.from(mac, "base64url");
  const signed = await Promise.all(
    tokens.map(async ({ token }) => crypto.subtle.verify("HMAC", await hmacKey(token), given, sealed(purpose, seal))),
  );
  const signer = tokens[signed.indexOf(true)];
  if (signer === undefined) return "forged";
  return nowMs < seal.expiresAtMs ? { ...seal, signer } : "expired";
}

function sealed(purpose: Purpose, { id, expiresAtMs }: Seal): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`relay:${purpose}:${expiresAtMs}:${id}`);
}

function hmacKey(opsToken: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new TextEncoder().encode(opsToken), algorithm, false, ["sign", "verify"]);
}
