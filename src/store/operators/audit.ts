import { sql } from "drizzle-orm";

import type { Database } from "../connection/database.ts";
import { storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { audit } from "../schema/audit-schema.ts";

/** Everything that leaves a row. */
export const auditActions = [
  "alerts.acknowledge",
  "alerts.mute",
  "alerts.test",
  "alerts.unmute",
  "backfill.cancel",
  "backfill.plan",
  "backfill.start",
  "dead-letters.decide",
  "diagnostics.env",
  "diagnostics.lifecycle",
  "diagnostics.network",
  "diagnostics.qstash",
  "diagnostics.queue",
  "events.export",
  "ingestion.pause",
  "ingestion.resume",
  "probes.run",
  "probes.sign",
  "probes.take",
  "replay.cancel",
  "replay.plan",
  "replay.start",
  "sessions.end",
  "sign-in",
  "sign-out",
  "test-delivery.send",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** The way a request came: from the dashboard's pages, the `relay` command, or another program. */
export const auditWays = ["page", "command", "api"] as const;
export type AuditWay = (typeof auditWays)[number];

/** What is known of a change before it is made. */
export interface AuditFacts {
  /** The name of the token. */
  actor: string;
  via: AuditWay;
  /** The network that the request came from, never a whole address. */
  address: string;
  action: AuditAction;
  /** The id of what it is done to; null where there is none, or where the change makes it. */
  target: string | null;
  /** What was asked for, without its reason; bounded, and without message text. Null if nothing was. */
  filter: unknown;
  reason: string | null;
}

/** Of a row whose change was begun. It stays if the process dies before the change has ended. */
const started = "started";
const reasonMax = 1_000;

/** Adds the row of a change that is about to be made, and resolves with its id. Throws `STORE_UNAVAILABLE`. */
export async function appendAudit(db: Database, facts: AuditFacts): Promise<number> {
  const { target, filter, reason } = facts;
  const row = {
    ...facts,
    target: orNull(target),
    filter: filter === null ? null : JSON.stringify(filter),
    reason: reason?.replaceAll("\0", "\uFFFD").slice(0, reasonMax) ?? null,
    result: started,
  };
  const rows = await withStoreErrors(() => db.insert(audit).values(row).returning({ id: audit.id }));
  return rows[0]?.id ?? 0;
}

/** Records how a change ended: `ok` or the code of the error; and its target if the change made that. Throws `STORE_UNAVAILABLE`. */
export async function settleAudit(
  db: Database,
  id: number,
  { result, target }: { result: string; target: string | null },
): Promise<void> {
  await withStoreErrors(() =>
    db.execute(sql`
      update relay.audit set result = ${result}, settled_at = now(), target = coalesce(${orNull(target)}::text, target)
      where id = ${id} and result = ${started}`),
  );
}

/** How many changes of this kind were begun or made within the last so many milliseconds. Throws `STORE_UNAVAILABLE`. */
export async function countRecentAudit(db: Database, action: AuditAction, withinMs: number): Promise<number> {
  const { rows } = await withStoreErrors(() =>
    db.execute<{ count: number }>(sql`
      select count(*)::int as count from relay.audit
      where action = ${action} and result in ('ok', ${started}) and at > now() - ${withinMs} * interval '1 millisecond'`),
  );
  return rows[0]?.count ?? 0;
}

function orNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}
