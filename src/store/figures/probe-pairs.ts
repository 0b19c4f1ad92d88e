import { type SQL, sql } from "drizzle-orm";

import type { MeasurementFacts } from "#measurements/measurement.ts";
import type { MeasuredPair, MeasuredProbe } from "#measurements/probe.ts";
import { runtimes } from "#platform/delivery.ts";

import type { Database } from "../connection/database.ts";
import { storableText } from "../connection/storable.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { deliveryUuid } from "../ingest/delivery-uuid.ts";
import { measurements, probePairs } from "../schema/measurements-schema.ts";

/** Stores pairs that were sent from one place, each once by its id; resolves with how many are new. Throws `STORE_UNAVAILABLE`. */
export async function savePairs(db: Database, vantage: string, pairs: readonly MeasuredPair[]): Promise<number> {
  if (pairs.length === 0) return 0;
  const rows = pairs.map(({ id, burst, atMs, first, deployment, canary, edge, nodejs }) => ({
    id,
    burst,
    at: new Date(atMs),
    vantage: storableText(vantage),
    first,
    canary,
    deployment: textOrNull(deployment),
    regionEdge: textOrNull(edge.region),
    regionNode: textOrNull(nodejs.region),
    edgeMs: edge.ms,
    nodeMs: nodejs.ms,
    edgeHandlerMs: edge.handlerMs,
    nodeHandlerMs: nodejs.handlerMs,
    cold: coldOf(edge.coldStart, nodejs.coldStart),
    idleEdgeMs: edge.idleMs,
    idleNodeMs: nodejs.idleMs,
    deliveryEdge: uuidOrNull(edge),
    deliveryNode: uuidOrNull(nodejs),
  }));
  return withStoreErrors(() =>
    inTransaction(db, async (transaction) => {
      const saved = await transaction
        .insert(probePairs)
        .values(rows)
        .onConflictDoNothing()
        .returning({ id: probePairs.id });
      const ids = new Set(saved.map(({ id }) => id));
      const measured = pairs.filter(({ id, canary }) => !canary && ids.delete(id)).flatMap(measurementsOf);
      if (measured.length > 0) await transaction.insert(measurements).values(measured);
      return saved.length;
    }),
  );
}

/** For the figures: the roll-up adds them up. */
function measurementsOf(pair: MeasuredPair): (typeof measurements.$inferInsert)[] {
  return runtimes.flatMap((runtime) => {
    const { ms, region, coldStart: cold } = pair[runtime];
    if (ms === null) return [];
    const facts: MeasurementFacts = { times: [["probe", ms, 1]] };
    const place = { runtime, region: textOrNull(region), deployment: textOrNull(pair.deployment), cold, probe: true };
    return [{ at: new Date(pair.atMs), ...place, facts: JSON.stringify(facts) }];
  });
}

function coldOf(edge: boolean | null, node: boolean | null): string | null {
  if (edge === null || node === null) return null;
  if (edge) return node ? "both" : "edge";
  return node ? "nodejs" : "none";
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}

function uuidOrNull({ deliveryId }: MeasuredProbe): string | null {
  return deliveryId === null ? null : deliveryUuid(deliveryId);
}

/** A pair as it is judged. */
export interface StoredPair {
  atMs: number;
  burst: string;
  vantage: string;
  deployment: string | null;
  /** Null if no answer came in time. */
  edgeMs: number | null;
  nodeMs: number | null;
  /** Null if no earlier request was known. */
  idleEdgeMs: number | null;
  idleNodeMs: number | null;
}

/** So many are judged at most: a month of the default budget. They tell p95s apart to a hundredth. */
export const judgedPairsMax = 12_000;

/**
 * The newest pairs of a window, newest first, without the canaries. `isCut`: there are older ones that were not read. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function readPairs(
  db: Database,
  { fromMs, toMs, region = null, deployment = null, max = judgedPairsMax }: PairsToRead,
): Promise<{ pairs: StoredPair[]; isCut: boolean }> {
  const { rows } = await withStoreErrors(() =>
    db.execute<StoredPair & Record<string, unknown>>(sql`
      select (extract(epoch from at) * 1000)::float8 as "atMs", burst, vantage, deployment,
        edge_ms as "edgeMs", node_ms as "nodeMs", idle_edge_ms as "idleEdgeMs", idle_node_ms as "idleNodeMs"
      from relay.probe_pairs
      where at >= ${instantOf(fromMs)} and at < ${instantOf(toMs)} and not canary
        ${region === null ? sql`` : sql`and region_edge = ${region}`}
        ${deployment === null ? sql`` : sql`and deployment = ${deployment}`}
      order by at desc
      limit ${max + 1}`),
  );
  return { pairs: rows.slice(0, max), isCut: rows.length > max };
}

export interface PairsToRead {
  fromMs: number;
  toMs: number;
  /** Of the edge's function; of all unless given, as is the deployment. */
  region?: string | null;
  deployment?: string | null;
  max?: number;
}

function instantOf(ms: number): SQL {
  return sql`${new Date(ms).toISOString()}::timestamptz`;
}

/** What has been sent from one place. */
export interface SentPairs {
  /** In the last 24 hours. */
  count: number;
  /** When the last canary was sent; null if none was in that time. */
  lastCanaryAtMs: number | null;
}

/** Throws `STORE_UNAVAILABLE`. */
export async function readSentPairs(db: Database, vantage: string, nowMs: number): Promise<SentPairs> {
  const { rows } = await withStoreErrors(() =>
    db.execute<SentPairs & Record<string, unknown>>(sql`
      select count(*)::int as count, (extract(epoch from max(at) filter (where canary)) * 1000)::float8 as "lastCanaryAtMs"
      from relay.probe_pairs
      where at > ${instantOf(nowMs - dayMs)} and vantage = ${storableText(vantage)}`),
  );
  return rows[0] ?? { count: 0, lastCanaryAtMs: null };
}

const dayMs = 24 * 60 * 60_000;
