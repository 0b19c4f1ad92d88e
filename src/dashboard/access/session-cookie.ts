import { sessionLifetimeMs } from "./ops-session.ts";

/**
 * The name of the session cookie. If the relay's address is https it begins with `__Host-`: a browser then accepts the
 * cookie only by https and from this host, so that another host of the domain cannot set one.
 * https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix
 */
export function sessionCookieName(relayUrls: readonly string[]): string {
  return isHttps(relayUrls) ? "__Host-relay_session" : "relay_session";
}

/** The value of the request's session cookie; undefined if it has none. */
export function readSessionCookie(request: Request, relayUrls: readonly string[]): string | undefined {
  const name = sessionCookieName(relayUrls);
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}

/** The value of the `Set-Cookie` header that begins a session; with an empty `value` it removes the cookie. */
export function sessionCookie(request: Request, relayUrls: readonly string[], value: string): string {
  const maxAge = value === "" ? 0 : sessionLifetimeMs / 1000;
  const protocol = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim() ?? new URL(request.url).protocol;
  const secure = isHttps(relayUrls) || /^https:?$/i.test(protocol) ? "; Secure" : "";
  return `${sessionCookieName(relayUrls)}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

function isHttps(relayUrls: readonly string[]): boolean {
  return relayUrls[0]?.startsWith("https://") === true;
}
