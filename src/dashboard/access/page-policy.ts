/**
 * The Content-Security-Policy of a page: it may load scripts with the nonce, the scripts that those load, and our own
 * styles. React writes `style` attributes into the HTML, and a nonce cannot allow those; they run no script.
 * https://web.dev/articles/strict-csp
 */
export function pagePolicy(nonce: string): string {
  return [
    "default-src 'self'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Whether the path is one of a bare page, which has no script and sets a stricter policy itself. */
export function carriesOwnPolicy(path: string): boolean {
  return /^\/(dashboard\/sign-(in|out)|data-deletion\/[^/]+)\/?$/.test(path);
}

/** The header that tells browsers to use https only, if the relay's address is https. Vercel sends it by itself. */
export function strictTransport(relayUrl = ""): Record<string, string> {
  return /^\s*https:/i.test(relayUrl) ? { "strict-transport-security": strictTransportPolicy } : {};
}

/** Two years, as browsers' preload lists require. Without `includeSubDomains`: other hosts of the domain may use http. */
const strictTransportPolicy = "max-age=63072000";
