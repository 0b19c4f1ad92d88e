import { sql } from "drizzle-orm";

import type { Runtime } from "#platform/delivery.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";

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

/**
 * Whether nothing runs on the edge, as the webhook's answer to the last probe says: then no pairs are sent. Rejects with the
 * driver's error.
 */
export async function isWithoutEdge(db: Database): Promise<boolean> {
  const { rows } = await db.execute<{ found: boolean }>(sql`select exists (${withoutEdge}) as found`);
  return rows[0]?.found ?? false;
}

/** A row if nothing runs on the edge: what maintenance remembers of its probes. */
export const withoutEdge = sql`select from relay.maintenance_parts where name = 'probes' and (result::jsonb) ? 'noEdgeIn'`;

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
    db.execute(sql`
      select (extract(epoch from p.at) * 1000)::float8 as "atMs", p.delivery_edge as "edgeId",
        p.delivery_node as "nodeId", ${took("e")} as "edgeMs", ${took("n")} as "nodeMs"
      from (
        select * from relay.probe_pairs
        where canary and at > ${new Date(nowMs - dayMs).toISOString()}::timestamptz order by at desc limit ${max}
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
