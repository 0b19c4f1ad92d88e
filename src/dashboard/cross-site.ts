/**
 * Whether a browser says that another site sent this request. Browsers send `Sec-Fetch-Site`, but to an address without
 * TLS only `Origin`, with every POST; programs send neither and are not what this is about. The cookie's SameSite=Lax
 * is the second lock. A page cannot choose any of the headers read here.
 */
export function isCrossSite(request: Request, relayUrls: readonly string[]): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  if (!URL.canParse(origin)) return true;
  const { protocol, host } = new URL(origin);
  // A proxy may send its own name for us as `Host`: then the configured address tells which site is ours.
  const ours = relayUrls.some((url) => URL.canParse(url) && new URL(url).origin === new URL(origin).origin);
  return !ours && !hostsOf(request).some((name) => hostAs(protocol, name) === host);
}

/** What the client called us by: each proxy on the way may have appended to `X-Forwarded-Host`, the client's is first. */
function hostsOf(request: Request): string[] {
  const forwarded = request.headers.get("x-forwarded-host")?.split(",")[0]?.trim();
  return [forwarded, request.headers.get("host")].filter((host) => host !== undefined && host !== null);
}

/** Without the protocol's own port, which some proxies write out. */
function hostAs(protocol: string, host: string): string | null {
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : null;
}
