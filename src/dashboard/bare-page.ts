import { createHash } from "node:crypto";

/** A page in one response, without scripts or assets: it has a status of its own and needs nothing else. */
export interface BarePage {
  status: number;
  title: string;
  /** HTML; the caller escapes all text that is not its own. */
  main: string;
  /** CSS that the page needs beside the common style. */
  style?: string;
  headers?: Record<string, string>;
}

const commonStyle = `
:root { color-scheme: light dark; font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 24px 16px; background: light-dark(#f8f9fa, #1a1b1e); color: light-dark(#212529, #dee2e6); }
main { width: 100%; max-width: 400px; padding: 32px; border: 1px solid light-dark(#dee2e6, #3b3d42); border-radius: 10px; background: light-dark(#fff, #25262b); }
h1 { margin: 0 0 4px; font-size: 20px; line-height: 1.3; letter-spacing: -0.01em; }
p { margin: 0 0 20px; color: light-dark(#5c636a, #a6a7ab); font-size: 14px; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Monaco, Consolas, monospace; color: light-dark(#212529, #dee2e6); }
:focus-visible { outline: 2px solid #4c6ef5; outline-offset: 2px; }
`;

/** The page as a response that is not cached, indexed or framed. */
export function barePage({ status, title, main, style = "", headers = {} }: BarePage): Response {
  const css = commonStyle + style;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(title)} · Instagram Webhook Relay</title>
<style>${css}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${sha256(css)}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      // With "no-referrer" browsers would send a form with `Origin: null`.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-robots-tag": "noindex, nofollow",
      ...headers,
    },
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** The text with the characters that HTML interprets replaced by references. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
