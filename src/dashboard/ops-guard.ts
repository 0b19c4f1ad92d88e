import { RelayError } from "#platform/errors.ts";

import { clientNetwork } from "./client-network.ts";
import type { OpsAccess } from "./ops-access.ts";
import { readBearer, readSession, type Seal, verifyToken } from "./ops-session.ts";
import { isCrossSite } from "./cross-site.ts";
import { readSessionCookie } from "./session-cookie.ts";

/**
 * Resolves for a request with the OPS_TOKEN as its bearer token or with the dashboard's session cookie. Throws
 * `UNAUTHORIZED` for any other, and `RATE_LIMITED` after too many wrong tokens. Browsers send the cookie with requests of
 * other sites too, so a request that changes something must also come from our own pages.
 */
export async function requireOps(request: Request, access: OpsAccess): Promise<void> {
  // Any other scheme belongs to a proxy in front of us; the browser sends our cookie beside it.
  const token = readBearer(request.headers.get("authorization") ?? "");
  const allowed =
    token === null
      ? (isRead(request) || !isCrossSite(request, access.relayUrls)) && (await hasSession(request, access))
      : await isToken(token, request, access);
  if (!allowed) throw new RelayError("UNAUTHORIZED", "A valid OPS_TOKEN or a signed-in session is required");
}

/** Whether the text is the OPS_TOKEN. Throws `RATE_LIMITED` after too many wrong ones, and `ENV_INVALID` without a token. */
export async function isToken(given: string, request: Request, access: OpsAccess): Promise<boolean> {
  const client = clientNetwork(request.headers);
  const nowMs = access.clock.monotonicMs();
  const refuse = ({ retryAfterMs, isFirst }: { retryAfterMs: number; isFirst: boolean }, scope: string) => {
    if (isFirst) access.log.warn("ops.limited", { scope, client, retryAfterMs: Math.ceil(retryAfterMs) });
    return new RelayError("RATE_LIMITED", "Too many wrong tokens: wait before the next", { retryAfterMs });
  };

  const opsToken = access.opsToken();
  const ofClient = access.guesses.refusalOf(client, nowMs);
  if (ofClient !== null) throw refuse(ofClient, "client");
  if (await verifyToken(given, opsToken)) return true;
  const ofAll = access.guesses.countWrong(client, nowMs);
  if (ofAll !== null) throw refuse(ofAll, "all");
  return false;
}

/** Whether the request's cookie is a valid session. Throws `STORE_UNAVAILABLE` while Postgres cannot tell. */
export async function hasSession(request: Request, access: OpsAccess): Promise<boolean> {
  const session = await sessionOf(readSessionCookie(request, access.relayUrls), access);
  return session !== null && !(await access.seals.isSpent(session.id));
}

/** The session in a cookie's value, also one that was ended; null for any other value. */
export function sessionOf(value: string | undefined, access: OpsAccess): Promise<Seal | null> {
  return readSession(value, { opsToken: access.opsToken(), nowMs: access.clock.nowMs() });
}

/** `Retry-After` in whole seconds for a `RATE_LIMITED` error. */
export function retryAfter(error: RelayError): string {
  return String(Math.ceil((error.retryAfterMs ?? 0) / 1000));
}

function isRead(request: Request): boolean {
  return request.method === "GET" || request.method === "HEAD";
}
