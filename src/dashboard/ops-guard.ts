import { RelayError } from "#platform/errors.ts";

import { type OpsKey, sessionCookieName, verifyBearer, verifySession } from "./ops-session.ts";

/**
 * Lets a request through that carries the OPS_TOKEN as a bearer token or the dashboard's session cookie; throws
 * `UNAUTHORIZED` otherwise. A cookie travels by itself, so a request that changes something must also come from our
 * own pages.
 */
export async function requireOps(request: Request, key: OpsKey): Promise<void> {
  const authorization = request.headers.get("authorization");
  const allowed =
    authorization === null
      ? (await hasSession(request, key)) && (isRead(request) || !isCrossSite(request))
      : await verifyBearer(authorization, key.opsToken);
  if (!allowed) throw new RelayError("UNAUTHORIZED", "A valid OPS_TOKEN or a signed-in session is required");
}

export function hasSession(request: Request, key: OpsKey): Promise<boolean> {
  return verifySession(readCookie(request, sessionCookieName), key);
}

/**
 * Whether a browser says that another site sent this request. Browsers send `Sec-Fetch-Site`, older ones at least
 * `Origin` with every POST; programs send neither and are not what this is about. The cookie's SameSite=Lax is the
 * second lock.
 */
export function isCrossSite(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host");
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

function isRead(request: Request): boolean {
  return request.method === "GET" || request.method === "HEAD";
}

function readCookie(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}
