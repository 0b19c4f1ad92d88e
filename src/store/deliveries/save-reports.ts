import { getTableColumns, sql } from "drizzle-orm";

import type { MeasurementFacts } from "#measurements/measurement.ts";
import type { ForwardReport } from "#measurements/report.ts";

import type { Database } from "../connection/database.ts";
import { repeatConflicts } from "../connection/repeat-conflicts.ts";
import { storableInstant, storableInteger, storableSmallint, storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { deliveryRow } from "../ingest/delivery-row.ts";
import { deliveryUuid } from "../ingest/delivery-uuid.ts";
import { deliveryFacts } from "../ingest/measured-facts.ts";
import { deliveries } from "../schema/delivery-schema.ts";

/**
 * Adds the forwards' reports to their deliveries, whose rows may exist already, and what they measured to the
 * measurements. A repeated call changes nothing. Throws `STORE_UNAVAILABLE`.
 */
export async function saveReports(db: Database, reports: readonly ForwardReport[], nowMs: number): Promise<void> {
  if (reports.length === 0) return;
  // One statement may not change a row twice. Rows that two statements share are locked in the same order.
  const unique = [...new Map(reports.map((report) => [deliveryUuid(report.deliveryId), report])).entries()].toSorted(
    ([a], [b]) => (a < b ? -1 : 1),
  );
  const saved = db
    .insert(deliveries)
    .values(
      unique.map(([, report]) => ({
        ...deliveryRow({ ...report, id: report.deliveryId }),
        ...measured(report, new Date(nowMs)),
      })),
    )
    .onConflictDoUpdate({ target: deliveries.id, set: replaced, setWhere: sql`${columns.reportedAt} is null` })
    .returning();
  const column = <T>(value: (report: ForwardReport) => T) => sql.param(unique.map(([, report]) => value(report)));
  const statement = sql`
    with saved as ${saved}
    insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts, first_facts)
    select least(s.received_at, ${new Date(nowMs).toISOString()}::timestamptz), s.runtime, s.region, s.deployment,
      s.cold_start, s.probe, r.facts::json,
      case
        when s.via is null then r.first_facts::json
        -- Ingestion has counted the delivery by the way that its first batch came.
        when s.outcome <> came.outcome and (s.outcome <> 'lost' or s.batches > 1 + (
          select count(*) from relay.delivery_batches b where b.delivery_id = s.id
        )) then json_build_object('counts', json_build_array(
          json_build_array('outcome', 1, s.outcome), json_build_array('correction', 1, came.outcome)))
      end
    from saved s
    join unnest(${sql.param(unique.map(([id]) => id))}::uuid[], ${column((report) => JSON.stringify(factsOf(report)))}::text[],
      ${column((report) => JSON.stringify(deliveryFacts(report.outcome, report.coldStart, report.ackInBatch ? report.ackMs : null)))}::text[]) as r (id, facts, first_facts) on r.id = s.id
    cross join lateral (select case s.via when 'queue' then 'published' else s.via end as outcome) came
  `;
  await withStoreErrors(() => repeatConflicts(() => db.execute(statement)));
}

/** What only the report knows. A sampled one stands for those that were not sent. */
function factsOf({
  sampleRate,
  attempts,
  publishMs,
  timeouts,
  errorType,
  ackMs,
  ackInBatch,
}: ForwardReport): MeasurementFacts {
  const weight = 1 / sampleRate;
  return {
    times: [
      // A forward without an attempt says nothing about publishing.
      ...(attempts > 0 ? [["publish", publishMs, weight] as const] : []),
      ...(ackMs !== null && !ackInBatch ? [["ack", ackMs, 1] as const] : []),
    ],
    counts: [
      ...(attempts > 0 ? [] : [["unattempted", 1] as const]),
      ...(timeouts > 0 ? [["publishTimeouts", timeouts * weight] as const] : []),
      ...(errorType === null ? [] : [["error", weight, errorType] as const]),
    ],
  };
}

function measured(report: ForwardReport, reportedAt: Date) {
  return {
    events: storableInteger(report.events),
    outcome: report.outcome,
    ackMs: report.ackMs,
    publishMs: report.publishMs,
    publishedAt: storableInstant(report.publishedAtMs),
    attempts: storableSmallint(report.attempts),
    timeouts: storableSmallint(report.timeouts),
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
