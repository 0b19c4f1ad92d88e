import { cookies } from "next/headers";
import { cache } from "react";

import type { OpsViewer } from "#dashboard/ops-guard.ts";
import { findViewer, readSignedIn as readWith } from "#dashboard/read-signed-in.ts";
import type { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { createOpsAccess } from "../ops-access.ts";
import { getReads } from "../services.ts";

/** `readSignedIn` of src/dashboard for the current request. */
export async function readSignedIn<T>(
  path: string,
  read: (db: Database, viewer: OpsViewer) => Promise<T>,
): Promise<T | RelayError> {
  return readWith({ path, access: createOpsAccess(), cookies: await cookies(), openReads: getReads }, read);
}

/** Who is signed in, once per request; null for a visitor, and while Postgres cannot tell. */
export const readViewer = cache(async (): Promise<OpsViewer | null> => {
  try {
    return await findViewer({ access: createOpsAccess(), cookies: await cookies() });
  } catch {
    return null;
  }
});
