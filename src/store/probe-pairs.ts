import { sql } from "drizzle-orm";

import type { MeasuredPair, MeasuredProbe, ProbeStart } from "#measurements/probe.ts";
import type { Runtime } from "#platform/delivery.ts";

import type { Database } from "./database.ts";
import { deliveryUuid } from "./delivery-uuid.ts";
import { probePairs } from "./probe-schema.ts";
import { storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";

/** A pair to store, with where it was sent from. */
export interface PairToSave extends MeasuredPair {
  vantage: string;
  start: ProbeStart;
}

/** Stores pairs, each once by its id; resolves with how many are new. Throws `STORE_UNAVAILABLE`. */
export async function savePairs(db: Database, pairs: readonly PairToSave[]): Promise<number> {
  if (pairs.length === 0) return 0;
  const rows = pairs.map(({ id, burst, atMs, vantage, start, first, deployment, canary, edge, nodejs }) => ({
    ...{ id, burst, at: new Date(atMs), vantage: storableText(vantage), start, first, canary },
    deployment: textOrNull(deployment),
    edgeMs: edge.ms,
    edgeHandlerMs: edge.handlerMs,
    edgeRegion: textOrNull(edge.region),
    edgeColdStart: edge.coldStart,
    edgeIdleMs: edge.idleMs,
    edgeDeliveryId: uuidOrNull(edge),
    nodeMs: nodejs.ms,
    nodeHandlerMs: nodejs.handlerMs,
    nodeRegion: textOrNull(nodejs.region),
    nodeColdStart: nodejs.coldStart,
    nodeIdleMs: nodejs.idleMs,
    nodeDeliveryId: uuidOrNull(nodejs),
  }));
  const saved = await withStoreErrors(() =>
    db.insert(probePairs).values(rows).onConflictDoNothing().returning({ id: probePairs.id }),
  );
  return saved.length;
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
  start: ProbeStart;
  /** Null if no answer came in time. */
  edgeMs: number | null;
  nodeMs: number | null;
}

/** So many are judged at most, about a month of the largest budget. */
export const judgedPairsMax = 35_000;

/**
 * The newest pairs of a window, in no order, without the canaries. `isCut`: there are more than were read, which are older.
 * Throws `STORE_UNAVAILABLE`.
 */
export async function readPairs(
  db: Database,
  { fromMs, toMs, max = judgedPairsMax }: { fromMs: number; toMs: number; max?: number },
): Promise<{ pairs: StoredPair[]; isCut: boolean }> {
  const { rows } = await withStoreErrors(() =>
    db.execute<StoredPair & Record<string, unknown>>(sql`
      select (extract(epoch from at) * 1000)::float8 as "atMs", burst, vantage, deployment, start,
        edge_ms as "edgeMs", node_ms as "nodeMs"
      from relay.probe_pairs
      where at >= ${new Date(fromMs).toISOString()}::timestamptz and at < ${new Date(toMs).toISOString()}::timestamptz
        and not canary
      order by at desc, id desc
      limit ${max + 1}`),
  );
  return { pairs: rows.slice(0, max), isCut: rows.length > max };
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
      where at > ${new Date(nowMs - dayMs).toISOString()}::timestamptz and vantage = ${storableText(vantage)}`),
  );
  return rows[0] ?? { count: 0, lastCanaryAtMs: null };
}

const dayMs = 24 * 60 * 60_000;

/** Of so many deliveries the newest are looked at. A function that none of them called gets its requests from probes alone. */
const deliveriesLookedAt = 1_000;

/**
 * When each function of a deployment last answered, as far as the store knows: a delivery from Meta, among the newest, or a
 * probe of the last day; null if there is none. Throws `STORE_UNAVAILABLE`.
 */
export async function readLastRequests(
  db: Database,
  deployment: string | null,
  nowMs: number,
): Promise<Record<Runtime, number | null>> {
  const at = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::float8`);
  const { rows } = await withStoreErrors(() =>
    db.execute<Record<Runtime, number | null>>(sql`
      select ${at("greatest(d.edge, p.edge)")} as edge, ${at("greatest(d.nodejs, p.nodejs)")} as nodejs
      from (
        select max(received_at) filter (where runtime = 'edge') as edge,
          max(received_at) filter (where runtime = 'nodejs') as nodejs
        from (select received_at, runtime, deployment from relay.deliveries order by received_at desc, id desc limit ${deliveriesLookedAt}) d
        where deployment is not distinct from ${deployment}
      ) d, (
        select max(at) filter (where edge_ms is not null) as edge, max(at) filter (where node_ms is not null) as nodejs
        from relay.probe_pairs
        where at > ${new Date(nowMs - dayMs).toISOString()}::timestamptz and deployment is not distinct from ${deployment}
      ) p`),
  );
  return rows[0] ?? { edge: null, nodejs: null };
}

/** One canary and how far each of its two deliveries came. */
export interface Canary {
  at: string;
  edge: CanaryJourney;
  nodejs: CanaryJourney;
}

export interface CanaryJourney {
  deliveryId: string | null;
  /** From the webhook's entry to the commit; null while it has not arrived. */
  endToEndMs: number | null;
}

/** The newest canaries of the last day, the newest first. Throws `STORE_UNAVAILABLE`. */
export async function readCanaries(db: Database, nowMs: number, max = 24): Promise<Canary[]> {
  const took = (alias: string) =>
    sql.raw(`(extract(epoch from ${alias}.ingested_at - ${alias}.received_at) * 1000)::float8`);
  const { rows } = await withStoreErrors(() =>
    db.execute<Record<string, unknown>>(sql`
      select (extract(epoch from p.at) * 1000)::float8 as "atMs", p.edge_delivery_id as "edgeId",
        p.node_delivery_id as "nodeId", ${took("e")} as "edgeMs", ${took("n")} as "nodeMs"
      from (
        select * from relay.probe_pairs
        where canary and at > ${new Date(nowMs - dayMs).toISOString()}::timestamptz order by at desc limit ${max}
      ) p
      left join relay.deliveries e on e.id = p.edge_delivery_id
      left join relay.deliveries n on n.id = p.node_delivery_id
      order by p.at desc`),
  );
  return rows.map((row) => ({
    at: new Date(row["atMs"] as number).toISOString(),
    edge: { deliveryId: row["edgeId"], endToEndMs: row["edgeMs"] } as CanaryJourney,
    nodejs: { deliveryId: row["nodeId"], endToEndMs: row["nodeMs"] } as CanaryJourney,
  }));
}
