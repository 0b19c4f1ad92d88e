import { equalInConstantTime } from "#platform/bytes.ts";
import type { Clock } from "#platform/clock.ts";
import { errorResponse, RelayError, toRelayError } from "#platform/errors.ts";
import { readBody } from "#platform/read-body.ts";

import { hasSession, isCrossSite } from "./ops-guard.ts";
import { createSession, sessionCookieName, verifyTicket } from "./ops-session.ts";
import { signInPage } from "./sign-in-page.ts";

export interface SignInOptions {
  /** Reads the token; throws `ENV_INVALID` if it is not set. */
  opsToken: () => string;
  clock: Clock;
}

/**
 * Signs an operator in: GET with a `ticket` (the link that the start prints) or POST of the form with the token. Both
 * set the session cookie and lead on to the dashboard; what fails is answered with the page and the reason.
 */
export async function answerSignIn(request: Request, { opsToken, clock }: SignInOptions): Promise<Response> {
  try {
    const key = { opsToken: opsToken(), nowMs: clock.nowMs() };
    const isForm = request.method === "POST";
    const fields = isForm ? await readForm(request, clock) : new URL(request.url).searchParams;
    const next = dashboardPath(fields.get("next"));
    const ticket = isForm ? null : fields.get("ticket");
    if (!isForm && ticket === null) {
      return (await hasSession(request, key)) ? seeOther(next) : signInPage({ status: 200, next });
    }
    const refusal = isForm ? await judgeForm(request, fields, key.opsToken) : await judgeTicket(ticket ?? "", key);
    if (refusal !== null) return signInPage({ status: 401, next, error: refusal });
    return seeOther(next, cookie(request, await createSession(key), "Max-Age=604800"));
  } catch (thrown) {
    const error = toRelayError(thrown);
    return error.code === "ENV_INVALID" ? signInPage({ status: 503, error: error.message }) : errorResponse(error);
  }
}

/** Ends the session in this browser. */
export function answerSignOut(request: Request): Response {
  if (isCrossSite(request)) return errorResponse(new RelayError("UNAUTHORIZED", "Sign out from the dashboard itself"));
  return seeOther("/dashboard/sign-in", cookie(request, "", "Max-Age=0"));
}

async function judgeForm(request: Request, fields: URLSearchParams, opsToken: string): Promise<string | null> {
  if (isCrossSite(request)) return "The form was sent from another site. Enter the token here.";
  const token = fields.get("token")?.trim() ?? "";
  if (token === "") return "Enter the token.";
  return (await equalInConstantTime(token, opsToken)) ? null : "That is not the OPS_TOKEN of this deployment.";
}

async function judgeTicket(ticket: string, key: { opsToken: string; nowMs: number }): Promise<string | null> {
  const state = await verifyTicket(ticket, key);
  if (state === "valid") return null;
  return state === "expired"
    ? "This sign-in link has expired. Links work for 12 hours; enter the token, or ask for a new link."
    : "This sign-in link is not valid here. It may be incomplete or from another installation.";
}

async function readForm(request: Request, clock: Clock): Promise<URLSearchParams> {
  const body = await readBody(request, { bytesMax: 10_000, timeoutMs: 5_000, clock });
  return new URLSearchParams(new TextDecoder().decode(body));
}

/** Where to go next: only ever into the dashboard, so nothing that climbs out of it. */
function dashboardPath(next: string | null): string {
  return next !== null && /^\/dashboard(\/[\w-]+)*(\?[\w=&%.-]*)?$/.test(next) ? next : "/dashboard";
}

function cookie(request: Request, value: string, lifetime: string): string {
  const protocol = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim() ?? new URL(request.url).protocol;
  const secure = protocol.replace(":", "") === "https" ? "; Secure" : "";
  return `${sessionCookieName}=${value}; ${lifetime}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

/** A relative address: behind `next start` the request's own URL always says localhost. */
function seeOther(location: string, setCookie?: string): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  if (setCookie !== undefined) headers.set("set-cookie", setCookie);
  return new Response(null, { status: 303, headers });
}
