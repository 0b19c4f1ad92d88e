import { sql } from "drizzle-orm";

import type { Finding } from "#instagram/data/find-drift.ts";
import type { EventKind } from "#instagram/events.ts";

import type { Transaction } from "./database.ts";
import { drift } from "./schema.ts";

interface EventFindings {
  eventId: number;
  kind: EventKind;
  findings: readonly Finding[];
}

/** Above this many rows new findings are counted under the path `*`: data from outside must not fill the database. */
const driftRowsMax = 1000;

/**
 * Counts the findings in new events. Call it last in their transaction: all consumers write the same rows. They are
 * locked in one order, so that two transactions wait for each other instead of deadlocking. Transactions that reach
 * `driftRowsMax` at the same time can pass it by the rows that they add.
 */
export async function storeDrift(tx: Transaction, found: readonly EventFindings[], seenAt: Date): Promise<void> {
  const rows = sumUp(found, seenAt);
  if (rows.length === 0) return;
  const isFull = (await tx.$count(drift)) + rows.length > driftRowsMax;
  const admitted = isFull ? await foldNew(tx, rows) : rows;
  await tx
    .insert(drift)
    .values(admitted)
    .onConflictDoUpdate({
      target: [drift.kind, drift.path, drift.finding, drift.shape],
      set: {
        count: sql`${drift.count} + excluded.count`,
        firstSeen: sql`least(${drift.firstSeen}, excluded.first_seen)`,
        lastSeen: sql`greatest(${drift.lastSeen}, excluded.last_seen)`,
        eventId: sql`greatest(${drift.eventId}, excluded.event_id)`,
      },
    });
}

type Row = typeof drift.$inferInsert;

function sumUp(found: readonly EventFindings[], seenAt: Date): Row[] {
  const rows = found.flatMap(({ eventId, kind, findings }) =>
    findings.map((finding): Row => ({ kind, ...finding, count: 1, firstSeen: seenAt, lastSeen: seenAt, eventId })),
  );
  return merge(rows);
}

/** One row for each key, in the order of the keys. */
function merge(rows: readonly Row[]): Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const name = keyOf(row);
    const other = merged.get(name);
    merged.set(
      name,
      other === undefined
        ? row
        : { ...other, count: other.count + row.count, eventId: Math.max(other.eventId, row.eventId) },
    );
  }
  return [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** Rows that the table already has keep their path; the others get `*`. */
async function foldNew(tx: Transaction, rows: readonly Row[]): Promise<Row[]> {
  const known = await tx
    .select({ kind: drift.kind, path: drift.path, finding: drift.finding, shape: drift.shape })
    .from(drift);
  const names = new Set(known.map(keyOf));
  return merge(rows.map((row) => (names.has(keyOf(row)) ? row : { ...row, path: "*", shape: "*" })));
}

function keyOf({ kind, path, finding, shape }: Pick<Row, "kind" | "path" | "finding" | "shape">): string {
  return JSON.stringify([kind, path, finding, shape]);
}
