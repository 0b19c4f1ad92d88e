import { type ErrorCode, RelayError, toRelayError } from "#platform/errors.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";

import { beginSession, type SigningIn } from "./begin-session.ts";
import { clientNetwork } from "./client-network.ts";
import { isCrossSite } from "./cross-site.ts";
import { dashboardPath } from "./dashboard-path.ts";
import type { OpsAccess } from "./ops-access.ts";
import { findSession, holderOf, retryAfter, signInTokens } from "./ops-guard.ts";
import { readTicket } from "./ops-session.ts";
import { sessionCookie } from "./session-cookie.ts";
import { type SignInPage, signInPage } from "./sign-in-page.ts";

/**
 * Signs an operator in: by GET with a `ticket`, from a link that works once, or by POST of the form with the token. Both
 * set the session cookie and redirect to the dashboard. A failure is answered with the sign-in page and the reason.
 */
export async function answerSignIn(request: Request, access: OpsAccess): Promise<Response> {
  let next = "/dashboard";
  let by: "token" | "ticket" = "ticket";
  try {
    const isForm = request.method === "POST";
    const fields = isForm ? await readForm(request, access) : new URL(request.url).searchParams;
    next = dashboardPath(fields.get("next"));
    if (!isForm && (await isSignedIn(request, access))) return seeOther(next);
    const ticket = fields.get("ticket");
    // A HEAD, from a link preview for example, must not use up the link.
    if (!isForm && (ticket === null || request.method === "HEAD")) return signInPage({ status: 200, next });

    by = isForm ? "token" : "ticket";
    const signing = isForm ? await readToken(request, fields, access) : await readLink(ticket ?? "", access);
    const session = await beginSession(request, signing, access);
    access.log.info("sign_in.accepted", { by, actor: signing.holder.name });
    return seeOther(next, sessionCookie(request, access.relayUrls, session));
  } catch (thrown) {
    const error = toRelayError(thrown);
    const { code, reason, message } = error;
    if (code !== "UNAUTHORIZED" && code !== "FORBIDDEN") return refusedPage(error, next, access);
    access.log.warn("sign_in.refused", { by, reason, client: clientNetwork(request.headers) });
    return signInPage({ status: 401, next, error: message });
  }
}

/** A page for an error that the operator can correct, the error's response for any other. */
function refusedPage(error: RelayError, next: string, access: OpsAccess): Response {
  const page = refusals[error.code];
  // Already logged, as `ops.limited`: a line for each guess would let guesses fill the log.
  if (page !== undefined && error.code === "RATE_LIMITED") return signInPage({ next, ...page(error) });
  const response = refuse(access.log, "sign_in.failed", error);
  return page === undefined ? response : signInPage({ next, ...page(error) });
}

const refusals: Partial<Record<ErrorCode, (error: RelayError) => SignInPage>> = {
  ENV_INVALID: ({ message }) => ({ status: 503, error: message }),
  STORE_UNAVAILABLE: ({ message }) => ({
    status: 503,
    error: `${message}, so no session can begin. Try again when it answers.`,
    showForm: true,
  }),
  RATE_LIMITED: (error) => ({
    status: 429,
    error: `Too many wrong tokens. Try again in ${retryAfter(error)} s, or sign in with a link: npm run relay -- sign-in prints one.`,
    retryAfter: retryAfter(error),
  }),
};

/** Whose token was entered. Throws `UNAUTHORIZED` with the sentence for the page, and `RATE_LIMITED`. */
async function readToken(request: Request, fields: URLSearchParams, access: OpsAccess): Promise<SigningIn> {
  if (isCrossSite(request, access.relayUrls)) {
    throw refusal("cross-site", "The form was sent from another site. Enter the token here.");
  }
  const token = fields.get("token")?.trim() ?? "";
  if (token === "") throw refusal("empty", "Enter the token.");
  const holder = await holderOf(token, request, access);
  if (holder === undefined) throw refusal("wrong", "That is not an OPS_TOKEN of this deployment.");
  return { holder, ticket: null };
}

/** Without a limit: a ticket cannot be guessed, and the operator needs it while the form is limited. */
async function readLink(text: string, access: OpsAccess): Promise<SigningIn> {
  const ticket = await readTicket(text, { tokens: signInTokens(access), nowMs: access.clock.nowMs() });
  if (typeof ticket === "string") throw refusal(ticket, sentences[ticket]);
  return { holder: ticket.signer, ticket };
}

function refusal(reason: string, sentence: string): RelayError {
  return new RelayError("UNAUTHORIZED", sentence, { reason });
}

const sentences = {
  expired:
    "This sign-in link has expired. Links work for 12 hours: enter the token, or make a new link with npm run relay -- sign-in.",
  forged: "This sign-in link is not valid here. It may be incomplete or from another installation.",
};

/** False while Postgres is down: a session that may have ended counts as none, and the form is shown. */
async function isSignedIn(request: Request, access: OpsAccess): Promise<boolean> {
  try {
    return (await findSession(request, access)) !== null;
  } catch (thrown) {
    if (toRelayError(thrown).code === "STORE_UNAVAILABLE") return false;
    throw thrown;
  }
}

async function readForm(request: Request, { clock }: OpsAccess): Promise<URLSearchParams> {
  const body = await readBody(request, { bytesMax: 10_000, timeoutMs: 5_000, clock });
  return new URLSearchParams(new TextDecoder().decode(body));
}

/** A redirect with 303. The location is relative because under `next start` the request's URL always says localhost. */
export function seeOther(location: string, setCookie?: string): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  if (setCookie !== undefined) headers.set("set-cookie", setCookie);
  return new Response(null, { status: 303, headers });
}
