/**
 * What a page may load: scripts that carry the nonce and those they load, our own styles, nothing from elsewhere. React
 * writes `style` attributes into the HTML, which a nonce cannot allow; they run no script.
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

/** The pages of bare-page.ts: they have no script, and a stricter policy by themselves. */
export function carriesOwnPolicy(path: string): boolean {
  return /^\/(dashboard\/sign-(in|out)|data-deletion\/[^/]+)\/?$/.test(path);
}

/** Where the relay's address is https no browser is to ask for its pages by http. Vercel says so itself. */
export function strictTransport(relayUrl = ""): Record<string, string> {
  return /^\s*https:/i.test(relayUrl) ? { "strict-transport-security": strictTransportPolicy } : {};
}

/** Two years, as browsers' preload lists ask; not for other hosts of the domain, which are not ours to decide about. */
const strictTransportPolicy = "max-age=63072000";
