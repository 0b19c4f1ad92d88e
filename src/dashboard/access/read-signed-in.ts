import { redirect } from "next/navigation";

import { type RelayError, toRelayError } from "#platform/errors.ts";
import { refuse } from "#platform/refuse.ts";
import type { Database } from "#store/connection/database.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";

import type { OpsAccess } from "./ops-access.ts";
import { type OpsViewer, sessionOf, viewerOf } from "./ops-guard.ts";
import type { SignedSeal } from "./ops-session.ts";
import { sessionCookieName } from "./session-cookie.ts";

/** What a page behind the sign-in is built on. */
export interface SignedInOptions {
  /** The page, for the log. */
  path: string;
  /** The page with its query, to come back to after signing in; null if only the page is known. */
  address: string | null;
  access: OpsAccess;
  /** The request's cookies. */
  cookies: { get(name: string): { value: string } | undefined };
  openReads(): Database;
}

/** Whose session it is, and which. */
export interface SignedInViewer extends OpsViewer {
  sessionId: string;
}

/**
 * The result of `read`, or the error that the page shows instead. Without a valid session it redirects to the sign-in
 * page, by throwing as Next's `redirect` does. While Postgres is down no session is known to be valid, so the page shows
 * `STORE_UNAVAILABLE` and nothing else.
 */
export async function readSignedIn<T>(
  { path, address, access, cookies, openReads }: SignedInOptions,
  read: (db: Database, viewer: SignedInViewer) => Promise<T>,
): Promise<T | RelayError> {
  const session = await findSession(access, cookies);
  try {
    if (session !== null && (await access.sessions.isOpen(session.id)))
      return await withStoreErrors(() => read(openReads(), { ...viewerOf(session), sessionId: session.id }));
  } catch (thrown) {
    const error = toRelayError(thrown);
    // The page shows the error instead of this response.
    if (error.status >= 500) refuse(access.log, "page.failed", error, { fields: { path } });
    return error;
  }
  // Outside of the try, which would catch it.
  return redirect(`/dashboard/sign-in?next=${encodeURIComponent(address ?? path)}`);
}

/** Whose session the cookies hold; null without a session. It does not ask whether the session has ended. */
export async function readHolder(access: OpsAccess, cookies: SignedInOptions["cookies"]): Promise<OpsViewer | null> {
  const session = await findSession(access, cookies);
  return session === null ? null : viewerOf(session);
}

/** Null without an OPS_TOKEN too: the sign-in page then names the variable. */
async function findSession(access: OpsAccess, cookies: SignedInOptions["cookies"]): Promise<SignedSeal | null> {
  try {
    return await sessionOf(cookies.get(sessionCookieName(access.relayUrls))?.value, access);
  } catch {
    return null;
  }
}
