import { sql } from "drizzle-orm";

import { gapMsOf } from "#measurements/probe-budget.ts";
import type { Database } from "#store/connection/database.ts";
import { withoutEdge } from "#store/figures/probe-reach.ts";

import type { CanaryFacts } from "./condition.ts";
import { isoOf, type Millis } from "./times.ts";

const weekMs = 7 * 24 * 60 * 60_000;
/** A canary goes the whole way in seconds; QStash's second retry comes after 2.5 minutes. */
const arrivesWithinMs = 10 * 60_000;
/** A canary is sent with the first burst after an hour; see `sendOwnBurst`. */
const everyMs = 60 * 60_000;
/** Maintenance sends them, every five minutes. */
const graceMs = 15 * 60_000;

interface Row extends Record<string, unknown> {
  sentMs: Millis;
  edgeArrived: boolean | null;
  nodeArrived: boolean | null;
  newestMs: Millis;
  arrivedMs: Millis;
  isWithoutEdge: boolean;
}

/** How far the newest canaries came. `pairsPerDay`: PROBE_PAIRS_PER_DAY, 0 for none. Rejects with the driver's error. */
export async function readCanaryFacts(
  db: Database,
  { nowMs, pairsPerDay }: { nowMs: number; pairsPerDay: number },
): Promise<CanaryFacts> {
  const at = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`;
  const { rows } = await db.execute<Row>(sql`
    with recent as (
      select p.at, e.ingested_at is not null as edge, n.ingested_at is not null as node
      from (select * from relay.probe_pairs where canary and at > ${at(nowMs - weekMs)} order by at desc limit 48) p
      left join relay.deliveries e on e.id = p.delivery_edge
      left join relay.deliveries n on n.id = p.delivery_node
    ), due as (select * from recent where at <= ${at(nowMs - arrivesWithinMs)} order by at desc limit 1)
    select (extract(epoch from max(at)) * 1000)::float8 as "newestMs",
      (extract(epoch from max(at) filter (where edge and node)) * 1000)::float8 as "arrivedMs",
      (select edge from due) as "edgeArrived", (select node from due) as "nodeArrived",
      exists (${withoutEdge}) as "isWithoutEdge"
    from recent`);
  const {
    newestMs = null,
    arrivedMs = null,
    edgeArrived = null,
    nodeArrived = null,
    isWithoutEdge = false,
  } = rows[0] ?? {};
  const isExpected = pairsPerDay > 0 && !isWithoutEdge;
  // One that was never sent is not overdue: the relay may have started a moment ago.
  const isOverdue = newestMs !== null && nowMs - newestMs > everyMs + gapMsOf(pairsPerDay || 1, lastDraw) + graceMs;
  return {
    isExpected,
    sentAt: isoOf(newestMs),
    arrivedAt: isoOf(arrivedMs),
    missingOn: [
      ...(edgeArrived === false ? ["edge" as const] : []),
      ...(nodeArrived === false ? ["nodejs" as const] : []),
    ],
    isOverdue: isExpected && isOverdue,
  };
}

/** The largest that a random number is. */
const lastDraw = 1 - Number.EPSILON;
