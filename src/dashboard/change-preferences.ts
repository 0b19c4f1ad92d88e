import { RelayError } from "#platform/errors.ts";
import { parseUrl } from "#platform/parse-url.ts";
import { readBody } from "#platform/read-body.ts";
import { refuse } from "#platform/refuse.ts";

import { isCrossSite } from "./access/cross-site.ts";
import { dashboardPath } from "./access/dashboard-path.ts";
import type { OpsAccess } from "./access/ops-access.ts";
import { seeOther } from "./access/sign-in.ts";
import { preferenceCookies } from "./preferences.ts";

/** Sets the cookies of the preferences that a form of a page changes, and goes back to that page. */
export async function answerPreferences(request: Request, access: OpsAccess): Promise<Response> {
  try {
    if (isCrossSite(request, access.relayUrls)) {
      throw new RelayError("UNAUTHORIZED", "Change preferences from the dashboard itself");
    }
    const body = await readBody(request, { bytesMax: 1_000, timeoutMs: 5_000, clock: access.clock });
    const answer = seeOther(pageBefore(request));
    const form = new URLSearchParams(new TextDecoder().decode(body));
    for (const cookie of preferenceCookies(form)) answer.headers.append("set-cookie", cookie);
    return answer;
  } catch (thrown) {
    return refuse(access.log, "preferences.failed", thrown);
  }
}

/** The pages' Referrer-Policy sends the whole address to our own routes. */
function pageBefore(request: Request): string {
  const referer = parseUrl(request.headers.get("referer") ?? "");
  return dashboardPath(referer && referer.pathname + referer.search);
}
