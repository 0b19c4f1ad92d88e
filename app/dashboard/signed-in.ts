import { cookies } from "next/headers";
import { redirect } from "next/navigation";

import { storeOrRelayError } from "#dashboard/answer-ops.ts";
import { sessionCookieName, verifySession } from "#dashboard/ops-session.ts";
import { systemClock } from "#platform/clock.ts";
import type { RelayError } from "#platform/errors.ts";
import { createLog, describeCause, writeToConsole } from "#platform/log.ts";
import type { Database } from "#store/database.ts";

import { getDatabase } from "../services.ts";

/** Goes to the sign-in page and back to `path` afterwards, unless this browser has a session. Each page asks for itself. */
export async function requireSession(path: string): Promise<void> {
  const session = (await cookies()).get(sessionCookieName)?.value;
  // Not set: nobody can be signed in, and the sign-in page says what is missing.
  const opsToken = process.env["OPS_TOKEN"]?.trim() ?? "";
  if (opsToken !== "" && (await verifySession(session, { opsToken, nowMs: systemClock.nowMs() }))) return;
  redirect(`/dashboard/sign-in?next=${encodeURIComponent(path)}`);
}

/** What `read` found, or the error that the page shows instead. */
export async function readForPage<T>(path: string, read: (db: Database) => Promise<T>): Promise<T | RelayError> {
  try {
    return await read(getDatabase().db);
  } catch (thrown) {
    const error = storeOrRelayError(thrown);
    if (error.status >= 500) {
      const log = createLog({ clock: systemClock, write: writeToConsole });
      log.error("request.failed", { path, code: error.code, ...describeCause(error.cause ?? error) });
    }
    return error;
  }
}
