import { barePage, escapeHtml } from "../bare-page.ts";

/** What the sign-in page shows. */
export interface SignInPage {
  status: 200 | 401 | 429 | 503;
  /** The path to go to after signing in. */
  next?: string;
  /** One sentence: why the operator was not signed in. */
  error?: string;
  /** Whether the form is shown; by default it is, except with 503. */
  showForm?: boolean;
  /** The `Retry-After` header's value. */
  retryAfter?: string;
}

const style = `
label { display: block; margin-bottom: 6px; font-size: 14px; font-weight: 600; }
input { width: 100%; height: 42px; padding: 0 12px; font: inherit; color: inherit; background: light-dark(#fff, #1a1b1e); border: 1px solid light-dark(#adb5bd, #5c5f66); border-radius: 6px; }
button { width: 100%; height: 42px; margin-top: 16px; font: inherit; font-weight: 600; color: #fff; background: #3b5bdb; border: 0; border-radius: 6px; cursor: pointer; }
button:hover { background: #364fc7; }
.hint { margin: 6px 0 0; }
.error { padding: 10px 12px; border: 1px solid light-dark(#ffc9c9, #7d2a2a); border-radius: 6px; background: light-dark(#fff5f5, #3a1f22); color: light-dark(#a61e1e, #ffc9c9); overflow-wrap: anywhere; }
`;

/** The sign-in page as a response with its status. */
export function signInPage(page: SignInPage): Response {
  const { status, next = "/dashboard", error, showForm = status !== 503, retryAfter } = page;
  return barePage({
    status,
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
    title: "Sign in",
    style,
    main: `<h1>Instagram Webhook Relay</h1>
<p>Sign in to the operator’s dashboard.</p>
${error === undefined ? "" : `<p class="error" id="error" role="alert">${escapeHtml(error)}</p>`}
${showForm ? form(next, error !== undefined) : ""}`,
  });
}

function form(next: string, failed: boolean): string {
  return `<form method="post" action="/dashboard/sign-in">
<input type="hidden" name="next" value="${escapeHtml(next)}">
<input type="text" name="username" value="operator" autocomplete="username" hidden readonly>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${failed ? ' aria-invalid="true" aria-describedby="error"' : ""}>
<p class="hint">The value of <code>OPS_TOKEN</code>, or your own of <code>OPS_TOKENS</code>. Or open a sign-in link: <code>npm run relay -- sign-in</code> prints one.</p>
<button type="submit">Sign in</button>
</form>`;
}
