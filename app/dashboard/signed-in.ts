import { cookies } from "next/headers";
import { redirect } from "next/navigation";

import { storeOrRelayError } from "#dashboard/answer-ops.ts";
import type { OpsAccess } from "#dashboard/ops-access.ts";
import { sessionOf } from "#dashboard/ops-guard.ts";
import type { Seal } from "#dashboard/ops-session.ts";
import { sessionCookieName } from "#dashboard/session-cookie.ts";
import type { RelayError } from "#platform/errors.ts";
import { describeCause } from "#platform/log.ts";
import type { Database } from "#store/database.ts";

import { createOpsAccess } from "../ops-access.ts";
import { getReads } from "../services.ts";

/**
 * What `read` found, or the error that the page shows instead. Without a session it goes to the sign-in page and back to
 * `path` afterwards; while the store cannot say whether a session was ended, the error is all there is to see.
 */
export async function readSignedIn<T>(path: string, read: (db: Database) => Promise<T>): Promise<T | RelayError> {
  const access = createOpsAccess();
  const session = await findSession(access);
  let isEnded: boolean;
  try {
    isEnded = session === null || (await access.seals.isSpent(session.id));
    if (!isEnded) return await read(getReads());
  } catch (thrown) {
    const error = storeOrRelayError(thrown);
    if (error.status >= 500) {
      access.log.error("request.failed", { path, code: error.code, ...describeCause(error.cause ?? error) });
    }
    return error;
  }
  // Outside of the try: Next redirects by throwing.
  return redirect(`/dashboard/sign-in?next=${encodeURIComponent(path)}`);
}

/** Without an OPS_TOKEN there is none, and the sign-in page says what is missing. */
async function findSession(access: OpsAccess): Promise<Seal | null> {
  const value = (await cookies()).get(sessionCookieName(access.relayUrls))?.value;
  try {
    return await sessionOf(value, access);
  } catch {
    return null;
  }
}
