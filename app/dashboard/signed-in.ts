import { cookies } from "next/headers";

import { readSignedIn as readWith } from "#dashboard/read-signed-in.ts";
import type { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { createOpsAccess } from "../ops-access.ts";
import { getReads } from "../services.ts";

/** `readSignedIn` of src/dashboard for the current request. */
export async function readSignedIn<T>(path: string, read: (db: Database) => Promise<T>): Promise<T | RelayError> {
  return readWith({ path, access: createOpsAccess(), cookies: await cookies(), openReads: getReads }, read);
}
