import type { Database } from "#store/database.ts";

import type { Count } from "./capped-count.ts";
import { type ListRequest, readList } from "./list-request.ts";
import { orUnknown } from "./or-unknown.ts";
import { type AuditFilter, type AuditPage, countAudit, readAudit } from "./read-audit.ts";
import { readSessions, type ReadSessionsOptions, type SessionItem } from "./read-sessions.ts";

/** What the page of the audit shows. */
export interface AuditView extends AuditPage {
  /** Comes after the rows; null if it cannot be counted. */
  count: Promise<Count | null>;
  sessions: readonly SessionItem[];
}

/** Rejects with `REQUEST_INVALID` for a request that names what there is not. */
export async function readAuditView(
  db: Database,
  request: ListRequest<AuditFilter>,
  options: ReadSessionsOptions,
): Promise<AuditView> {
  const page = await readList(request, (filter) => readAudit(db, filter));
  const { sessions } = await readSessions(db, options);
  return { ...page, sessions, count: orUnknown(readList(request, (filter) => countAudit(db, filter))) };
}
