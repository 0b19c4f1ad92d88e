// The statements of alerts: their states, and the notices about them.
import { and, eq, getTableColumns, inArray, sql } from "drizzle-orm";

import type { Database, Transaction } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { alertNotices, type AlertRow, alerts } from "../schema/alerts-schema.ts";

/** The key of the advisory lock under which alerts change; an arbitrary constant. */
const alertsLock = 7_340_123;

/** A notice that is to be sent to one address. */
export interface Notice {
  /** Equal for every address and attempt. */
  id: string;
  address: string;
  at: Date;
  /** JSON. */
  changes: string;
  attempts: number;
}

/** What `changeAlerts` stores. */
export interface AlertsChange<T> {
  /** The rows that are new or different. */
  rows: readonly AlertRow[];
  notices: readonly Omit<Notice, "attempts">[];
  result: T;
}

/**
 * Reads every alert, lets `change` decide, and stores the alerts and the notices about them in one transaction, one call
 * after another: two at once never send the same. Throws `STORE_UNAVAILABLE` and what `change` throws.
 */
export async function changeAlerts<T>(
  db: Database,
  change: (before: readonly AlertRow[]) => AlertsChange<T>,
): Promise<T> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${alertsLock})`);
      const { rows, notices, result } = change(await readAlerts(tx));
      if (rows.length > 0) await saveAlerts(tx, rows);
      if (notices.length > 0) {
        await tx.insert(alertNotices).values(notices.map((notice) => ({ ...notice, state: "pending" })));
      }
      return result;
    }),
  );
}

/** Every alert that has a state. Rejects with the driver's error. */
export async function readAlerts(db: Pick<Database | Transaction, "select">): Promise<AlertRow[]> {
  return db.select().from(alerts).orderBy(alerts.rule, alerts.scope);
}

async function saveAlerts(tx: Transaction, rows: readonly AlertRow[]): Promise<void> {
  const { rule: _rule, scope: _scope, ...changing } = getTableColumns(alerts);
  const set = Object.fromEntries(
    Object.entries(changing).map(([name, column]) => [name, sql`excluded.${sql.identifier(column.name)}`]),
  );
  await tx
    .insert(alerts)
    .values([...rows])
    .onConflictDoUpdate({ target: [alerts.rule, alerts.scope], set });
}

export interface ClaimOptions {
  nowMs: number;
  /** The notice's id; null for all that are pending. */
  id: string | null;
  limit: number;
}

/** Nothing sends the same notice for so long; longer than an attempt takes. */
const claimedMs = 30_000;

/** Takes pending notices for this process, the oldest first, and counts an attempt. Throws `STORE_UNAVAILABLE`. */
export async function claimNotices(db: Database, { nowMs, id, limit }: ClaimOptions): Promise<Notice[]> {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
  const { rows } = await withStoreErrors(() =>
    db.execute<Record<string, unknown> & Omit<Notice, "at"> & { atMs: number }>(sql`
      with due as (
        select id, address from relay.alert_notices
        where state = 'pending' and (claimed_until is null or claimed_until <= ${at(nowMs)})
          and (${id}::uuid is null or id = ${id}::uuid)
        order by at limit ${limit} for update skip locked)
      update relay.alert_notices n set attempts = n.attempts + 1, claimed_until = ${at(nowMs + claimedMs)}, tried_at = ${at(nowMs)}
      from due where n.id = due.id and n.address = due.address
      returning n.id, n.address, (extract(epoch from n.at) * 1000)::float8 as "atMs", n.changes::text as changes, n.attempts`),
  );
  return rows
    .map(({ atMs, ...notice }) => ({ ...notice, at: new Date(atMs) }))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/** Records what an attempt met with, and gives the notice back. Throws `STORE_UNAVAILABLE`. */
export async function finishNotice(
  db: Database,
  { id, address }: Pick<Notice, "id" | "address">,
  { state, result }: { state: "pending" | "sent" | "failed"; result: string },
): Promise<void> {
  await withStoreErrors(() =>
    db
      .update(alertNotices)
      .set({ state, result, claimedUntil: null })
      .where(and(eq(alertNotices.id, id), eq(alertNotices.address, address))),
  );
}

/** A notice as it stands. */
export type NoticeRow = Pick<
  typeof alertNotices.$inferSelect,
  "id" | "address" | "at" | "state" | "attempts" | "triedAt" | "result"
>;

/** The notices with these ids. Rejects with the driver's error. */
export async function readNotices(db: Database, ids: readonly string[]): Promise<NoticeRow[]> {
  if (ids.length === 0) return [];
  const { id, address, at, state, attempts, triedAt, result } = alertNotices;
  return db
    .select({ id, address, at, state, attempts, triedAt, result })
    .from(alertNotices)
    .where(inArray(id, [...ids]))
    .orderBy(address);
}

const keptDays = 30;

/** Deletes old notices, and scopes that were resolved long ago. Throws `STORE_UNAVAILABLE`. */
export async function retainAlerts(db: Database, nowMs: number): Promise<void> {
  const before = sql`${new Date(nowMs).toISOString()}::timestamptz - ${keptDays} * interval '1 day'`;
  await withStoreErrors(async () => {
    await db.execute(sql`delete from relay.alert_notices where at < ${before}`);
    await db.execute(sql`delete from relay.alerts where level = 0 and scope <> '' and changed_at < ${before}
      and (muted_until is null or muted_until < ${before})`);
  });
}
