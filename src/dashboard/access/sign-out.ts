import { audited } from "#operations/audit.ts";
import { RelayError, toRelayError } from "#platform/errors.ts";
import { refuse } from "#platform/refuse.ts";

import { clientPrefix } from "./client-network.ts";
import { isCrossSite } from "./cross-site.ts";
import type { OpsAccess } from "./ops-access.ts";
import { sessionOf } from "./ops-guard.ts";
import type { SignedSeal } from "./ops-session.ts";
import { readSessionCookie, sessionCookie } from "./session-cookie.ts";
import { signInPage } from "./sign-in-page.ts";
import { seeOther } from "./sign-in.ts";

/** Ends the session on the server, so that a copy of the cookie is worthless, and removes the cookie. */
export async function answerSignOut(request: Request, access: OpsAccess): Promise<Response> {
  if (isCrossSite(request, access.relayUrls)) {
    return refuse(access.log, "sign_out.failed", new RelayError("UNAUTHORIZED", "Sign out from the dashboard itself"));
  }
  const removal = sessionCookie(request, access.relayUrls, "");
  try {
    const session = await sessionOf(readSessionCookie(request, access.relayUrls), access);
    if (session !== null) await endSession(request, session, access);
    return seeOther("/dashboard/sign-in", removal);
  } catch (thrown) {
    // The operator gets the page instead of this response.
    refuse(access.log, "sign_out.failed", thrown);
    const sentence = "The session was removed from this browser, but could not be ended on the server";
    const page = signInPage({ status: 503, error: `${sentence}: ${toRelayError(thrown).message}.` });
    page.headers.set("set-cookie", removal);
    return page;
  }
}

async function endSession(
  request: Request,
  { id, signer }: SignedSeal,
  { audit: trail, sessions, log }: OpsAccess,
): Promise<void> {
  const address = clientPrefix(request.headers);
  const facts = {
    actor: signer.name,
    via: "page",
    address,
    action: "sign-out",
    target: null,
    filter: null,
    reason: null,
  } as const;
  await audited(facts, { trail, log }, () => sessions.end(id));
}
