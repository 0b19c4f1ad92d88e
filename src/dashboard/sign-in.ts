import { type ErrorCode, type RelayError, toRelayError } from "#platform/errors.ts";
import { readBody } from "#platform/read-body.ts";
import { type OpsToken, reaches } from "#platform/ops-token.ts";
import { refuse } from "#platform/refuse.ts";

import { clientNetwork } from "./client-network.ts";
import { isCrossSite } from "./cross-site.ts";
import type { OpsAccess } from "./ops-access.ts";
import { dashboardPath } from "./dashboard-path.ts";
import { findSession, holderOf, retryAfter, signInTokens } from "./ops-guard.ts";
import { createSession, readTicket } from "./ops-session.ts";
import { sessionCookie } from "./session-cookie.ts";
import { type SignInPage, signInPage } from "./sign-in-page.ts";

/** Why the operator is not signed in, for the log and for the page. */
interface Refusal {
  reason: string;
  sentence: string;
}

/**
 * Signs an operator in: by GET with a `ticket`, from a link that works once, or by POST of the form with the token. Both
 * set the session cookie and redirect to the dashboard. A failure is answered with the sign-in page and the reason.
 */
export async function answerSignIn(request: Request, access: OpsAccess): Promise<Response> {
  let next = "/dashboard";
  try {
    const isForm = request.method === "POST";
    const fields = isForm ? await readForm(request, access) : new URL(request.url).searchParams;
    next = dashboardPath(fields.get("next"));
    if (!isForm && (await isSignedIn(request, access))) return seeOther(next);
    const ticket = fields.get("ticket");
    // A HEAD, from a link preview for example, must not use up the link.
    if (!isForm && (ticket === null || request.method === "HEAD")) return signInPage({ status: 200, next });

    const by = isForm ? "token" : "ticket";
    const judged = isForm ? await judgeForm(request, fields, access) : await judgeTicket(ticket ?? "", access);
    if ("reason" in judged) {
      access.log.warn("sign_in.refused", { by, reason: judged.reason, client: clientNetwork(request.headers) });
      return signInPage({ status: 401, next, error: judged.sentence });
    }
    access.log.info("sign_in.accepted", { by, actor: judged.name });
    const nowMs = access.clock.nowMs();
    const session = await createSession({ opsToken: judged.token, nowMs, id: access.newId() });
    return seeOther(next, sessionCookie(request, access.relayUrls, session));
  } catch (thrown) {
    return refusedPage(toRelayError(thrown), next, access);
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
    error: `${message}, so the link cannot be used now. Enter the token, or open the link later.`,
    showForm: true,
  }),
  RATE_LIMITED: (error) => ({
    status: 429,
    error: `Too many wrong tokens. Try again in ${retryAfter(error)} s, or sign in with a link: npm run relay -- sign-in prints one.`,
    retryAfter: retryAfter(error),
  }),
};

/** The token that was entered, or why it does not sign in. */
async function judgeForm(request: Request, fields: URLSearchParams, access: OpsAccess): Promise<OpsToken | Refusal> {
  if (isCrossSite(request, access.relayUrls)) {
    const sentence = "The form was sent from another site. Enter the token here.";
    return { reason: "cross-site", sentence };
  }
  const token = fields.get("token")?.trim() ?? "";
  if (token === "") return { reason: "empty", sentence: "Enter the token." };
  const holder = await holderOf(token, request, access);
  if (holder === undefined) return { reason: "wrong", sentence: "That is not an OPS_TOKEN of this deployment." };
  if (reaches(holder.role, "read")) return holder;
  return { reason: "role", sentence: `A token of the role ${holder.role} does not open the dashboard.` };
}

/** Without a limit: a ticket cannot be guessed, and the operator needs it while the form is limited. */
async function judgeTicket(ticket: string, access: OpsAccess): Promise<OpsToken | Refusal> {
  const nowMs = access.clock.nowMs();
  const seal = await readTicket(ticket, { tokens: signInTokens(access), nowMs });
  if (typeof seal === "string") return { reason: seal, sentence: sentences[seal] };
  if (await access.seals.spend(seal, nowMs)) return seal.signer;
  return { reason: "used", sentence: sentences.used };
}

const newLink = "enter the token, or make a new link with npm run relay -- sign-in.";
const sentences = {
  expired: `This sign-in link has expired. Links work for 12 hours: ${newLink}`,
  forged: "This sign-in link is not valid here. It may be incomplete or from another installation.",
  used: `This sign-in link has been used. Each works once: ${newLink}`,
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
