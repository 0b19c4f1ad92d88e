import { cookies } from "next/headers";
import { redirect } from "next/navigation";

import { storeOrRelayError } from "#dashboard/answer-ops.ts";
import { sessionCookieName, verifySession } from "#dashboard/ops-session.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import type { RelayError } from "#platform/errors.ts";
import { createLog, describeCause, writeToConsole } from "#platform/log.ts";
import type { Database } from "#store/database.ts";

import { getReads } from "../services.ts";

/** Goes to the sign-in page and back to `path` afterwards, unless this browser has a session. Each page asks for itself. */
export async function requireSession(path: string): Promise<void> {
  const session = (await cookies()).get(sessionCookieName)?.value;
  if (await isSignedIn(session)) return;
  redirect(`/dashboard/sign-in?next=${encodeURIComponent(path)}`);
}

/** Without an OPS_TOKEN nobody can be, and the sign-in page says what is missing. */
async function isSignedIn(session: string | undefined): Promise<boolean> {
  try {
    const opsToken = readEnv(process.env, ["OPS_TOKEN"]).OPS_TOKEN;
    return await verifySession(session, { opsToken, nowMs: systemClock.nowMs() });
  } catch {
    return false;
  }
}

/** What `read` found, or the error that the page shows instead. */
export async function readForPage<T>(path: string, read: (db: Database) => Promise<T>): Promise<T | RelayError> {
  try {
    return await read(getReads());
  } catch (thrown) {
    const error = storeOrRelayError(thrown);
    if (error.status >= 500) {
      const log = createLog({ clock: systemClock, write: writeToConsole });
      log.error("request.failed", { path, code: error.code, ...describeCause(error.cause ?? error) });
    }
    return error;
  }
}
