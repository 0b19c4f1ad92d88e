import { parseUrl } from "#platform/parse-url.ts";

/**
 * Whether a browser says that another site sent this request. Browsers send `Sec-Fetch-Site`; to an address without TLS
 * they send only `Origin`, with every POST. Programs send neither and pass. No page can choose these headers. The cookie's
 * `SameSite=Lax` is a second protection.
 */
export function isCrossSite(request: Request, relayUrls: readonly string[]): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const header = request.headers.get("origin");
  if (header === null) return false;
  const url = parseUrl(header);
  if (url === null) return true;
  const { protocol, host, origin } = url;
  // A proxy may send its own name for us as `Host`, so the configured addresses count as ours too.
  const ours = relayUrls.some((relayUrl) => parseUrl(relayUrl)?.origin === origin);
  return !ours && !hostsOf(request).some((name) => hostAs(protocol, name) === host);
}

/** The names by which the client may have called us. Proxies append to `X-Forwarded-Host`; the client's name is first. */
function hostsOf(request: Request): string[] {
  const forwarded = request.headers.get("x-forwarded-host")?.split(",")[0]?.trim();
  return [forwarded, request.headers.get("host")].filter((host) => host !== undefined && host !== null);
}

/** The host without the protocol's default port, which some proxies add. */
function hostAs(protocol: string, host: string): string | null {
  return parseUrl(`${protocol}//${host}`)?.host ?? null;
}
