import { cookies, headers } from "next/headers";

import type { OpsViewer } from "#dashboard/access/ops-guard.ts";
import {
  readHolder as readHolderWith,
  readSignedIn as readWith,
  type SignedInViewer,
} from "#dashboard/access/read-signed-in.ts";
import type { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";

import { getReads } from "../database.ts";
import { createOpsAccess } from "../ops-access.ts";

/** `readSignedIn` of src/dashboard for the current request. */
export async function readSignedIn<T>(
  path: string,
  read: (db: Database, viewer: SignedInViewer) => Promise<T>,
): Promise<T | RelayError> {
  const address = (await headers()).get("x-page");
  return readWith({ path, address, access: createOpsAccess(), cookies: await cookies(), openReads: getReads }, read);
}

/** Name and role of the token that signed the request's session; null without one. */
export async function readHolder(): Promise<OpsViewer | null> {
  return readHolderWith(createOpsAccess(), await cookies());
}
