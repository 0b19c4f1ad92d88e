import { RelayError } from "#platform/errors.ts";
import { type OpsRole, type OpsToken, reaches } from "#platform/ops-token.ts";

import { clientNetwork } from "./client-network.ts";
import type { OpsAccess } from "./ops-access.ts";
import { findToken, readBearer, readSession, type SignedSeal } from "./ops-session.ts";
import { isCrossSite } from "./cross-site.ts";
import { readSessionCookie } from "./session-cookie.ts";

/**
 * The holder of the bearer token or of the dashboard's session cookie that the request has, if the role reaches: `admin` for
 * what changes something, else `read`, or the role named. Throws `UNAUTHORIZED` for any other request, `FORBIDDEN` if the
 * role does not reach, and `RATE_LIMITED` after too many wrong tokens. Browsers send the cookie with requests of other
 * sites too, so a request that changes something must also come from our own pages.
 */
export async function requireOps(
  request: Request,
  access: OpsAccess,
  needed: OpsRole = isRead(request) ? "read" : "admin",
): Promise<OpsToken> {
  // Any other scheme belongs to a proxy in front of us; the browser sends our cookie beside it.
  const bearer = readBearer(request.headers.get("authorization") ?? "");
  const holder =
    bearer === null
      ? (isRead(request) || !isCrossSite(request, access.relayUrls)) && (await findSession(request, access))?.signer
      : await holderOf(bearer, request, access);
  if (!holder) throw new RelayError("UNAUTHORIZED", "A valid OPS_TOKEN or a signed-in session is required");
  const { name, role } = holder;
  if (reaches(role, needed)) return holder;
  throw new RelayError("FORBIDDEN", `This needs the role ${needed}, and the token "${name}" has the role ${role}`);
}

/** The token that the text is, or undefined. Throws `RATE_LIMITED` after too many wrong ones, and `ENV_INVALID`. */
export async function holderOf(given: string, request: Request, access: OpsAccess): Promise<OpsToken | undefined> {
  const client = clientNetwork(request.headers);
  const nowMs = access.clock.monotonicMs();
  const refuse = ({ retryAfterMs, isFirst }: { retryAfterMs: number; isFirst: boolean }, scope: string) => {
    if (isFirst) access.log.warn("ops.limited", { scope, client, retryAfterMs: Math.ceil(retryAfterMs) });
    return new RelayError("RATE_LIMITED", "Too many wrong tokens: wait before the next", { retryAfterMs });
  };

  const tokens = access.opsTokens();
  const ofClient = access.guesses.refusalOf(client, nowMs);
  if (ofClient !== null) throw refuse(ofClient, "client");
  const holder = await findToken(given, tokens);
  if (holder !== undefined) return holder;
  const ofAll = access.guesses.countWrong(client, nowMs);
  if (ofAll !== null) throw refuse(ofAll, "all");
  return undefined;
}

/** The session of the request's cookie; null if it has none or one that was ended. Throws `STORE_UNAVAILABLE` while Postgres cannot tell. */
export async function findSession(request: Request, access: OpsAccess): Promise<SignedSeal | null> {
  const session = await sessionOf(readSessionCookie(request, access.relayUrls), access);
  return session === null || (await access.seals.isSpent(session.id)) ? null : session;
}

/** The session in a cookie's value, also one that was ended; null for any other value. Throws `ENV_INVALID`. */
export async function sessionOf(value: string | undefined, access: OpsAccess): Promise<SignedSeal | null> {
  return readSession(value, { tokens: signInTokens(access), nowMs: access.clock.nowMs() });
}

/** The tokens that may sign in: the dashboard shows what a token for the metrics may not read. Throws `ENV_INVALID`. */
export function signInTokens(access: OpsAccess): readonly OpsToken[] {
  return access.opsTokens().filter(({ role }) => reaches(role, "read"));
}

/** `Retry-After` in whole seconds for a `RATE_LIMITED` error. */
export function retryAfter(error: RelayError): string {
  return String(Math.ceil((error.retryAfterMs ?? 0) / 1000));
}

function isRead(request: Request): boolean {
  return request.method === "GET" || request.method === "HEAD";
}
