import { getTableColumns, sql } from "drizzle-orm";

import type { ForwardReport } from "#measurements/report.ts";

import type { Database } from "./database.ts";
import { deliveryRow } from "./delivery-row.ts";
import { deliveries } from "./delivery-schema.ts";
import { storableInstant, storableInteger, storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";

/**
 * Adds the forwards' reports to their deliveries, whose rows may exist already. A repeated call changes only
 * `reportedAt`. Throws `STORE_UNAVAILABLE`.
 */
export async function saveReports(db: Database, reports: readonly ForwardReport[], nowMs: number): Promise<void> {
  if (reports.length === 0) return;
  const rows = reports.map((report) => ({
    ...deliveryRow({ ...report, id: report.deliveryId }),
    ...measured(report, new Date(nowMs)),
  }));
  // One statement may not change a row twice. Rows that two statements share are locked in the same order.
  const unique = [...new Map(rows.map((row) => [row.id, row])).values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await withStoreErrors(() =>
    db.insert(deliveries).values(unique).onConflictDoUpdate({ target: deliveries.id, set: replaced }),
  );
}

function measured(report: ForwardReport, reportedAt: Date) {
  return {
    events: storableInteger(report.events),
    outcome: report.outcome,
    ackMs: report.ackMs,
    publishMs: report.publishMs,
    publishedAt: storableInstant(report.publishedAtMs),
    attempts: storableInteger(report.attempts),
    timeouts: storableInteger(report.timeouts),
    errorType: report.errorType,
    messageIds: report.messageIds.map(storableText),
    reportedAt,
  };
}

const measuredColumns = [
  "events",
  "outcome",
  "publishMs",
  "publishedAt",
  "attempts",
  "timeouts",
  "errorType",
  "messageIds",
  "reportedAt",
] as const satisfies readonly (keyof ReturnType<typeof measured>)[];

const columns = getTableColumns(deliveries);
const replaced = {
  ...Object.fromEntries(measuredColumns.map((name) => [name, sql`excluded.${sql.identifier(columns[name].name)}`])),
  // The batch may have brought them.
  ackMs: sql`coalesce(${columns.ackMs}, excluded.ack_ms)`,
  deployment: sql`coalesce(${columns.deployment}, excluded.deployment)`,
};
