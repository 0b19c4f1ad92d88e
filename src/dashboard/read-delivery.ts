import { eq, inArray, sql, type SQL } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";
import { deliveries, deliveryChunks } from "#store/schema.ts";

/** One delivery's way from Meta to the handlers; null is what is not known, or not yet. */
export interface DeliveryJourney {
  id: string;
  runtime: string;
  probe: boolean;
  outcome: string | null;
  /** `inserted` + `duplicates` once all parts are ingested; before that, what the report says. */
  events: number | null;
  inserted: number | null;
  duplicates: number | null;
  receivedAt: string;
  ackMs: number | null;
  publishedAt: string | null;
  deliveredAt: string | null;
  ingestedAt: string | null;
  handledAt: string | null;
  /** The code of the last publish attempt that failed, also if a later one succeeded. */
  error: string | null;
}

/** What else is worth seeing of the delivery and its forward. */
export interface DeliveryDetails {
  region: string | null;
  coldStart: boolean;
  bodyBytes: number;
  publishMs: number | null;
  attempts: number | null;
  timeouts: number | null;
  parts: { ingested: number; total: number | null };
}

/** Throws `NOT_FOUND` for an id that neither the consumer nor a report has brought. */
export async function readDelivery(
  db: Database,
  id: string,
): Promise<{ journey: DeliveryJourney; details: DeliveryDetails }> {
  // Postgres refuses text with NUL, so nothing stored can have such an id.
  const [row] = id.includes("\0") ? [] : await db.select().from(deliveries).where(eq(deliveries.id, id));
  if (row === undefined) throw new RelayError("NOT_FOUND", "No such delivery");
  const parts = await readParts(db, id);
  const arrived = parts.complete;
  return {
    journey: {
      id: row.id,
      runtime: row.runtime,
      probe: row.probe,
      outcome: outcomeOf(row.outcome, parts),
      events: arrived ? parts.inserted + parts.duplicates : row.events,
      inserted: arrived ? parts.inserted : null,
      duplicates: arrived ? parts.duplicates : null,
      receivedAt: row.receivedAt.toISOString(),
      ackMs: row.ackMs,
      publishedAt: row.publishedAt?.toISOString() ?? null,
      deliveredAt: arrived ? isoOf(parts.deliveredAtMs) : null,
      ingestedAt: arrived ? isoOf(parts.ingestedAtMs) : null,
      handledAt: arrived && parts.handled === parts.total ? isoOf(parts.handledAtMs) : null,
      error: row.errorType,
    },
    details: {
      region: row.region,
      coldStart: row.coldStart,
      bodyBytes: row.bodyBytes,
      publishMs: row.publishMs,
      attempts: row.attempts,
      timeouts: row.timeouts,
      parts: { ingested: parts.ingested, total: parts.total },
    },
  };
}

function outcomeOf(reported: string | null, { ingested, complete }: { ingested: number; complete: boolean }) {
  // All of it is here: what was lost is only the answer to whoever handed it on.
  if (reported === "lost" && complete) return "fallback";
  // The report may be sampled away or still under way; what was ingested had been handed on.
  return reported ?? (ingested > 0 ? "published" : null);
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

async function readParts(db: Database, id: string) {
  const [parts] = await db
    .select({
      ingested: sql<number>`count(*)::int`,
      total: sql<number | null>`max(${deliveryChunks.chunks})::int`,
      inserted: sql<number>`coalesce(sum(${deliveryChunks.inserted}), 0)::int`,
      duplicates: sql<number>`coalesce(sum(${deliveryChunks.duplicates}), 0)::int`,
      handled: sql<number>`count(${deliveryChunks.handledAt})::int`,
      deliveredAtMs: epochMs(sql`min(${deliveryChunks.deliveredAt})`),
      ingestedAtMs: epochMs(sql`max(${deliveryChunks.ingestedAt})`),
      handledAtMs: epochMs(sql`max(${deliveryChunks.handledAt})`),
    })
    .from(deliveryChunks)
    .where(eq(deliveryChunks.deliveryId, id));
  if (parts === undefined) throw new RelayError("INTERNAL", "An aggregate without a row");
  return { ...parts, complete: parts.total !== null && parts.ingested >= parts.total };
}

function epochMs(instant: SQL): SQL<number | null> {
  return sql<number | null>`(extract(epoch from ${instant}) * 1000)::float8`;
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
