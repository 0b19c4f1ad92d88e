import { sql, type SQL } from "drizzle-orm";

import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes } from "#store/deliveries/delivery-outcomes.ts";
import { irregularDelivery } from "#store/deliveries/irregular-delivery.ts";

import type { Count } from "#store/connection/capped-count.ts";
import { encodeCursor } from "../lists/query-parameters.ts";
import { countMatches, type Measured, scan, type Step } from "../lists/scan.ts";
import { deliveryColumns, type DeliveryItem } from "./delivery-columns.ts";
import type { DeliveryFilter, DeliveryPosition } from "./delivery-filter.ts";

export interface DeliveryPage {
  deliveries: DeliveryItem[];
  /** Set too for a page that is not full, even empty, while there are deliveries that were not looked at. */
  nextCursor: string | null;
  /** When the oldest delivery was received that was looked at, for such a page; else null. */
  scannedTo: string | null;
  /** Of all pages, with `count=true`. */
  total?: Count;
}

/** One page of deliveries, last received first. */
export async function readDeliveries(
  db: Database,
  filter: DeliveryFilter,
  clock: Pick<Clock, "monotonicMs">,
): Promise<DeliveryPage> {
  type Row = DeliveryItem & Record<string, unknown>;
  const conditions = conditionsOf(filter);
  const candidates = ({ below, last, size }: Step<DeliveryPosition>) => sql`(
    select * from relay.deliveries
    where ${sql.join([...indexedConditions(filter), ...between(below, last)], sql` and `)}
    order by received_at desc, id desc
    limit ${size}
  )`;
  const matches = (step: Step<DeliveryPosition>) => sql`
    from ${deliveryOutcomes(candidates(step))} d
    where ${sql.join([sql`true`, ...conditions], sql` and `)}`;
  const shared = {
    isWhole: conditions.length === 0,
    clock,
    measure: (below: DeliveryPosition | undefined, size: number) =>
      measure(db, candidates({ below, last: undefined, size }), size),
  };
  const { found, next, hasStopped } = await scan<Row, DeliveryPosition>({
    ...shared,
    limit: filter.limit,
    start: filter.cursor,
    async find(step, wanted) {
      const { rows } = await db.execute<Row>(
        sql`select ${deliveryColumns} ${matches(step)} order by d.received_at desc, d.id desc limit ${wanted}`,
      );
      return rows;
    },
    positionOf: ({ receivedAt, id }) => ({ atMs: Date.parse(receivedAt), id }),
  });
  const count = async (step: Step<DeliveryPosition>) => {
    const rowsOf = shared.isWhole ? sql`from ${candidates(step)} d` : matches(step);
    const { rows } = await db.execute<{ count: number }>(sql`select count(*)::int as count ${rowsOf}`);
    return rows[0]?.count ?? 0;
  };
  return {
    deliveries: found,
    nextCursor: next === null ? null : encodeCursor(`${next.atMs}:${next.id}`),
    scannedTo: hasStopped && next !== null ? new Date(next.atMs).toISOString() : null,
    ...(filter.count === true ? { total: await countMatches({ ...shared, count }) } : {}),
  };
}

async function measure(db: Database, candidates: SQL, size: number): Promise<Measured<DeliveryPosition>> {
  const { rows } = await db.execute<{ count: number } & DeliveryPosition & Record<string, unknown>>(sql`
    select count(*) over ()::int as count, (extract(epoch from received_at) * 1000)::float8 as "atMs", id
    from ${candidates} d
    order by received_at, id
    limit 1
  `);
  const [last] = rows;
  const seen = last?.count ?? 0;
  return { seen, last: last === undefined ? undefined : { atMs: last.atMs, id: last.id }, isEnd: seen < size };
}

function between(below: DeliveryPosition | undefined, last: DeliveryPosition | undefined): SQL[] {
  const place = ({ atMs, id }: DeliveryPosition) => sql`(${new Date(atMs).toISOString()}::timestamptz, ${id}::uuid)`;
  return [
    ...(below === undefined ? [] : [sql`(received_at, id) < ${place(below)}`]),
    ...(last === undefined ? [] : [sql`(received_at, id) >= ${place(last)}`]),
  ];
}

/** What an index of the times answers: of all deliveries, or of the few that did not go the usual way. */
function indexedConditions({ outcome, error, probe, from, to }: DeliveryFilter): SQL[] {
  const isUsual = (outcome === undefined || outcome === "published") && error === undefined && probe !== true;
  return [
    probe === true ? sql`probe` : sql`not probe`,
    ...(isUsual ? [] : [irregularDelivery]),
    ...(from === undefined ? [] : [sql`received_at >= ${from.toISOString()}::timestamptz`]),
    ...(to === undefined ? [] : [sql`received_at < ${to.toISOString()}::timestamptz`]),
  ];
}

/** What no index answers. */
function conditionsOf({ outcome, runtime, error, region, deployment, ackMsMin }: DeliveryFilter): SQL[] {
  return [
    ...(outcome === undefined ? [] : [sql`d.became = ${outcome}`]),
    ...(runtime === undefined ? [] : [sql`d.runtime = ${runtime}`]),
    ...(error === undefined ? [] : [sql`d.error_type = ${error}`]),
    ...(region === undefined ? [] : [sql`d.region = ${region}`]),
    ...(deployment === undefined ? [] : [sql`d.deployment = ${deployment}`]),
    ...(ackMsMin === undefined ? [] : [sql`d.ack_ms >= ${ackMsMin}`]),
  ];
}
