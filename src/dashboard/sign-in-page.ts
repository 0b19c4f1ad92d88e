/** The sign-in page: whole in one response, so that it can carry its status and works without any script. */

export interface SignInPage {
  status: 200 | 401 | 503;
  next?: string;
  error?: string;
}

const style = `
:root { color-scheme: light dark; font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 24px 16px; background: light-dark(#f8f9fa, #1a1b1e); color: light-dark(#212529, #dee2e6); }
main { width: 100%; max-width: 400px; padding: 32px; border: 1px solid light-dark(#dee2e6, #3b3d42); border-radius: 10px; background: light-dark(#fff, #25262b); }
h1 { margin: 0 0 4px; font-size: 20px; line-height: 1.3; letter-spacing: -0.01em; }
p { margin: 0 0 20px; color: light-dark(#5c636a, #a6a7ab); font-size: 14px; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Monaco, Consolas, monospace; color: light-dark(#212529, #dee2e6); }
label { display: block; margin-bottom: 6px; font-size: 14px; font-weight: 600; }
input { width: 100%; height: 42px; padding: 0 12px; font: inherit; color: inherit; background: light-dark(#fff, #1a1b1e); border: 1px solid light-dark(#adb5bd, #5c5f66); border-radius: 6px; }
button { width: 100%; height: 42px; margin-top: 16px; font: inherit; font-weight: 600; color: #fff; background: #3b5bdb; border: 0; border-radius: 6px; cursor: pointer; }
button:hover { background: #364fc7; }
:focus-visible { outline: 2px solid #4c6ef5; outline-offset: 2px; }
.error { padding: 10px 12px; border: 1px solid light-dark(#ffc9c9, #7d2a2a); border-radius: 6px; background: light-dark(#fff5f5, #3a1f22); color: light-dark(#a61e1e, #ffc9c9); overflow-wrap: anywhere; }
`;

/** The page with its status; `error` says in one sentence why nobody was signed in. */
export function signInPage({ status, next = "/dashboard", error }: SignInPage): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Instagram Webhook Relay</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Instagram Webhook Relay</h1>
<p>Sign in to the operator’s dashboard.</p>
${error === undefined ? "" : `<p class="error" id="error" role="alert">${escapeHtml(error)}</p>`}
${status === 503 ? "" : form(next, error !== undefined)}
</main>
</body>
</html>
`;
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      // Not "no-referrer": browsers would then send the form with `Origin: null`.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  });
}

function form(next: string, failed: boolean): string {
  return `<form method="post" action="/dashboard/sign-in">
<input type="hidden" name="next" value="${escapeHtml(next)}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${failed ? ' aria-invalid="true" aria-describedby="error"' : ""}>
<p style="margin:6px 0 0">The value of <code>OPS_TOKEN</code>. A local start prints a link that signs you in.</p>
<button type="submit">Sign in</button>
</form>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
