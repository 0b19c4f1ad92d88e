import { type SQL, sql } from "drizzle-orm";

import type { MeasuredPair, MeasuredProbe } from "#measurements/probe.ts";
import type { Runtime } from "#platform/delivery.ts";

import type { Database } from "./database.ts";
import { deliveryUuid } from "./delivery-uuid.ts";
import { probePairs } from "./measurements-schema.ts";
import { storableText } from "./storable.ts";
import { withStoreErrors } from "./store-error.ts";

/** Stores pairs that were sent from one place, each once by its id; resolves with how many are new. Throws `STORE_UNAVAILABLE`. */
export async function savePairs(db: Database, vantage: string, pairs: readonly MeasuredPair[]): Promise<number> {
  if (pairs.length === 0) return 0;
  const rows = pairs.map(({ id, burst, atMs, first, deployment, canary, edge, nodejs }) => ({
    ...{ id, burst, at: new Date(atMs), vantage: storableText(vantage), first, canary },
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
  const saved = await withStoreErrors(() =>
    db.insert(probePairs).values(rows).onConflictDoNothing().returning({ id: probePairs.id }),
  );
  return saved.length;
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

/** So many are judged at most: a month of the largest budget. */
export const judgedPairsMax = 35_000;

/**
 * The newest pairs of a window, newest first, without the canaries. `isCut`: there are older ones that were not read. Throws
 * `STORE_UNAVAILABLE`.
 */
export async function readPairs(
  db: Database,
  { fromMs, toMs, deployment = null, max = judgedPairsMax }: PairsToRead,
): Promise<{ pairs: StoredPair[]; isCut: boolean }> {
  const { rows } = await withStoreErrors(() =>
    db.execute<StoredPair & Record<string, unknown>>(sql`
      select (extract(epoch from at) * 1000)::float8 as "atMs", burst, vantage, deployment,
        edge_ms as "edgeMs", node_ms as "nodeMs", idle_edge_ms as "idleEdgeMs", idle_node_ms as "idleNodeMs"
      from relay.probe_pairs
      where at >= ${instantOf(fromMs)} and at < ${instantOf(toMs)} and not canary
        ${deployment === null ? sql`` : sql`and deployment = ${deployment}`}
      order by at desc
      limit ${max + 1}`),
  );
  return { pairs: rows.slice(0, max), isCut: rows.length > max };
}

export interface PairsToRead {
  fromMs: number;
  toMs: number;
  /** Of this one alone; of all unless given. */
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
        where at > ${instantOf(nowMs - dayMs)} and deployment is not distinct from ${deployment}
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
      select (extract(epoch from p.at) * 1000)::float8 as "atMs", p.delivery_edge as "edgeId",
        p.delivery_node as "nodeId", ${took("e")} as "edgeMs", ${took("n")} as "nodeMs"
      from (
        select * from relay.probe_pairs
        where canary and at > ${instantOf(nowMs - dayMs)} order by at desc limit ${max}
      ) p
      left join relay.deliveries e on e.id = p.delivery_edge
      left join relay.deliveries n on n.id = p.delivery_node
      order by p.at desc`),
  );
  return rows.map((row) => ({
    at: new Date(row["atMs"] as number).toISOString(),
    edge: { deliveryId: row["edgeId"], endToEndMs: row["edgeMs"] } as CanaryJourney,
    nodejs: { deliveryId: row["nodeId"], endToEndMs: row["nodeMs"] } as CanaryJourney,
  }));
}
