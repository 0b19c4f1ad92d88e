import { inArray, sql, type SQL } from "drizzle-orm";

import type { ForwardOutcome, Runtime } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";
import { deliveryOutcomes } from "#store/delivery-outcomes.ts";
import { deliveries } from "#store/schema.ts";

/** One delivery's way from Meta to the handlers; null is unknown, or has not happened yet. */
export interface DeliveryJourney {
  id: string;
  runtime: Runtime;
  probe: boolean;
  outcome: ForwardOutcome | null;
  /** `inserted` + `duplicates` once all batches are ingested; before that, the report's number. */
  events: number | null;
  inserted: number | null;
  duplicates: number | null;
  receivedAt: string;
  ackMs: number | null;
  publishedAt: string | null;
  deliveredAt: string | null;
  ingestedAt: string | null;
  handledAt: string | null;
  /** The code of the last failed publish attempt, also if a later one succeeded. */
  error: string | null;
}

/** Further facts about the delivery and its forward. */
export interface DeliveryDetails {
  region: string | null;
  coldStart: boolean;
  bodyBytes: number;
  publishMs: number | null;
  attempts: number | null;
  timeouts: number | null;
  batches: { ingested: number; total: number | null };
}

/** Reads one delivery; throws `NOT_FOUND` for an unknown id. */
export async function readDelivery(
  db: Database,
  id: string,
): Promise<{ journey: DeliveryJourney; details: DeliveryDetails }> {
  const row = await readRow(db, id);
  const ifComplete = <T>(value: T) => (row.complete ? value : null);
  return {
    journey: {
      id: row.id,
      runtime: row.runtime,
      probe: row.probe,
      outcome: row.became,
      events: row.complete ? row.inserted + row.duplicates : row.events,
      inserted: ifComplete(row.inserted),
      duplicates: ifComplete(row.duplicates),
      receivedAt: new Date(row.receivedAtMs).toISOString(),
      ackMs: row.ackMs,
      publishedAt: isoOf(row.publishedAtMs),
      deliveredAt: isoOf(ifComplete(row.deliveredAtMs)),
      ingestedAt: isoOf(ifComplete(row.ingestedAtMs)),
      handledAt: row.handledBatches === row.expectedBatches ? isoOf(ifComplete(row.handledAtMs)) : null,
      error: row.errorType,
    },
    details: {
      region: row.region,
      coldStart: row.coldStart,
      bodyBytes: row.bodyBytes,
      publishMs: row.publishMs,
      attempts: row.attempts,
      timeouts: row.timeouts,
      batches: { ingested: row.ingestedBatches, total: row.expectedBatches },
    },
  };
}

/** Which runtime answered each of these deliveries. */
export async function readDeliveryRuntimes(db: Database, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: deliveries.id, runtime: deliveries.runtime })
    .from(deliveries)
    .where(inArray(deliveries.id, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.id, row.runtime]));
}

interface DeliveryRow extends Record<string, unknown> {
  id: string;
  runtime: Runtime;
  region: string | null;
  coldStart: boolean;
  probe: boolean;
  bodyBytes: number;
  events: number | null;
  became: ForwardOutcome | null;
  complete: boolean;
  ingestedBatches: number;
  expectedBatches: number | null;
  handledBatches: number;
  inserted: number;
  duplicates: number;
  ackMs: number | null;
  publishMs: number | null;
  attempts: number | null;
  timeouts: number | null;
  errorType: string | null;
  receivedAtMs: number;
  publishedAtMs: number | null;
  deliveredAtMs: number | null;
  ingestedAtMs: number | null;
  handledAtMs: number | null;
}

async function readRow(db: Database, id: string): Promise<DeliveryRow> {
  // Postgres refuses text with NUL, so no stored id has one.
  if (id.includes("\0")) throw unknownDelivery();
  const { rows } = await db.execute<DeliveryRow>(sql`
    select
      id, runtime, region, cold_start as "coldStart", probe, body_bytes as "bodyBytes", events, became, complete,
      ingested_batches::int as "ingestedBatches", expected_batches as "expectedBatches",
      handled_batches::int as "handledBatches", inserted::int as inserted, duplicates::int as duplicates,
      ack_ms as "ackMs", publish_ms as "publishMs", attempts, timeouts, error_type as "errorType",
      ${epochMs("received_at")} as "receivedAtMs", ${epochMs("published_at")} as "publishedAtMs",
      ${epochMs("delivered_at")} as "deliveredAtMs", ${epochMs("ingested_at")} as "ingestedAtMs",
      ${epochMs("handled_at")} as "handledAtMs"
    from ${deliveryOutcomes} d
    where id = ${id}
  `);
  const [row] = rows;
  if (row === undefined) throw unknownDelivery();
  return row;
}

function unknownDelivery(): RelayError {
  return new RelayError("NOT_FOUND", "No such delivery");
}

function epochMs(column: string): SQL {
  return sql`(extract(epoch from ${sql.identifier(column)}) * 1000)::float8`;
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
