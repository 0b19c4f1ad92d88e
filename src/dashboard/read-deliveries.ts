import { sql, type SQL } from "drizzle-orm";
import * as v from "valibot";

import type { Clock } from "#platform/clock.ts";
import { forwardOutcomes, runtimes } from "#platform/delivery.ts";
import { instant } from "#platform/instant.ts";
import type { Database } from "#store/database.ts";
import { deliveryOutcomes } from "#store/delivery-outcomes.ts";

import { deliveryColumns, type DeliveryItem } from "./delivery-columns.ts";
import { cursorOf, encodeCursor, oneOf, pageLimit, parseQuery, plainText } from "./query-parameters.ts";
import { scan } from "./scan.ts";

export interface DeliveryPage {
  deliveries: DeliveryItem[];
  /** Set too for a page that is not full, even empty, while there are deliveries that were not looked at. */
  nextCursor: string | null;
  /** When the oldest delivery was received that was looked at, for such a page; else null. */
  scannedTo: string | null;
}

const deliveryQuery = v.object({
  outcome: v.optional(oneOf(forwardOutcomes)),
  runtime: v.optional(oneOf(runtimes)),
  error: v.optional(plainText),
  region: v.optional(plainText),
  deployment: v.optional(plainText),
  ackMsMin: v.optional(
    v.pipe(
      v.string(),
      v.check((value) => /^\d{1,7}(\.\d{1,3})?$/.test(value), "must be a number of milliseconds"),
      v.transform(Number),
    ),
  ),
  /** By `receivedAt`, from inclusive, to exclusive. */
  from: v.optional(instant),
  to: v.optional(instant),
  limit: pageLimit,
  cursor: v.optional(cursorOf(positionOf)),
});

/** Which deliveries to read, and how many of them at most. */
export type DeliveryFilter = v.InferOutput<typeof deliveryQuery>;

/** Reads the query of `/api/ops/deliveries`; throws `REQUEST_INVALID` naming every parameter that is wrong. */
export function parseDeliveryFilter(params: URLSearchParams): DeliveryFilter {
  return parseQuery(deliveryQuery, params);
}

interface Position {
  atMs: number;
  id: string;
}

function positionOf(position: string): Position | undefined {
  const [, atMs, id] = /^(\d{1,15}):([0-9a-f-]{36})$/.exec(position) ?? [];
  return atMs === undefined || id === undefined ? undefined : { atMs: Number(atMs), id };
}

/** One page of deliveries, last received first; without probes, which are no traffic. */
export async function readDeliveries(
  db: Database,
  filter: DeliveryFilter,
  clock: Pick<Clock, "monotonicMs">,
): Promise<DeliveryPage> {
  const conditions = conditionsOf(filter);
  type Row = DeliveryItem & Record<string, unknown>;
  const candidates = (below: Position | undefined, count: number) => sql`
    select * from relay.deliveries
    where ${sql.join([sql`not probe`, ...timesOf(filter), ...(below === undefined ? [] : [isBelow(below)])], sql` and `)}
    order by received_at desc, id desc
    limit ${count}
  `;
  const { found, next, hasStopped } = await scan<Row, Position>({
    limit: filter.limit,
    start: filter.cursor,
    isWhole: conditions.length === 0,
    clock,
    async find(below, step, wanted) {
      const { rows } = await db.execute<Row>(sql`
        select ${deliveryColumns}
        from ${deliveryOutcomes(sql`(${candidates(below, step)})`)} d
        where ${sql.join([sql`true`, ...conditions], sql` and `)}
        order by d.received_at desc, d.id desc
        limit ${wanted}
      `);
      return rows;
    },
    async measure(below, step) {
      const { rows } = await db.execute<{ count: number; atMs: number; id: string }>(sql`
        select count(*) over ()::int as count, (extract(epoch from received_at) * 1000)::float8 as "atMs", id
        from (${candidates(below, step)}) d
        order by received_at, id
        limit 1
      `);
      const [last] = rows;
      return { count: last?.count ?? 0, last };
    },
    positionOf: ({ receivedAt, id }) => ({ atMs: Date.parse(receivedAt), id }),
  });
  return {
    deliveries: found,
    nextCursor: next === null ? null : encodeCursor(`${next.atMs}:${next.id}`),
    scannedTo: hasStopped && next !== null ? new Date(next.atMs).toISOString() : null,
  };
}

function isBelow({ atMs, id }: Position): SQL {
  return sql`(received_at, id) < (${new Date(atMs).toISOString()}::timestamptz, ${id}::uuid)`;
}

function timesOf({ from, to }: DeliveryFilter): SQL[] {
  return [
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
