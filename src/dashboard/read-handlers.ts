import { sql } from "drizzle-orm";
import * as v from "valibot";

import { windowEndingAt, type WindowName, windowNames } from "#measurements/runtime-comparison.ts";
import type { Database } from "#store/database.ts";

import { eventIdsBetween } from "./event-ids-between.ts";
import { isoText } from "./iso-text.ts";
import { oneOf, parseQuery } from "./query-parameters.ts";

/** How the handlers of one kind of event did in a window. */
export interface HandlerSummary {
  kind: string;
  /** Calls, also those of retries and replays. */
  runs: number;
  /** Failed calls, and by the error's name. */
  failed: number;
  failures: Record<string, number>;
  /** Calls after the first for the same event. */
  retries: number;
  /** Of the calls whose time is known: see `readHandlers`. */
  handlerMs: { count: number; p50: number; p95: number } | null;
  /** Events that are open or retried now, whatever the window, and when the oldest of them was ingested. */
  open: number;
  oldestOpenAt: string | null;
}

export interface HandlerReport {
  window: { from: string; to: string };
  handlers: HandlerSummary[];
}

const handlerQuery = v.object({ window: v.optional(oneOf(windowNames), "1h") });

/** Reads the query of `/api/ops/handlers`; throws `REQUEST_INVALID`. */
export function parseHandlerWindow(params: URLSearchParams): WindowName {
  return parseQuery(handlerQuery, params).window;
}

/**
 * What is stored of handlers, by kind, the most runs first. A success at the first attempt is not a row of
 * `handler_attempts`: it is an event of the window that has no such row and is not in `event_work`. Its time is known where
 * its delivery, received in the window, brought one event: as the delivery's `handler_ms`. A recorded call has its own.
 */
export async function readHandlers(db: Database, name: WindowName, nowMs: number): Promise<HandlerReport> {
  const { fromMs, toMs } = windowEndingAt(name, nowMs);
  const [from, to] = [new Date(fromMs), new Date(toMs)];
  const { low } = await eventIdsBetween(db, { from });
  const { rows } = await db.execute<Omit<HandlerSummary, "handlerMs"> & HandlerTimes>(sql`
    with recorded as materialized (
      select event_id from relay.event_work
      union
      select event_id from relay.handler_attempts where event_id >= ${low}
    ),
    alone as materialized (
      select first_event_id as event_id, handler_ms
      from relay.deliveries
      where received_at >= ${from.toISOString()}::timestamptz and inserted = 1 and batches = 1
    ),
    calls as (
      select e.kind, a.event_id, a.attempt, a.error_name, a.ms
      from relay.handler_attempts a
      join relay.events e on e.id = a.event_id
      where a.at >= ${from.toISOString()}::timestamptz and a.at < ${to.toISOString()}::timestamptz
      union all
      select e.kind, e.id, 1, null, a.handler_ms
      from relay.events e
      left join alone a on a.event_id = e.id
      where e.id >= ${low} and e.ingested_at >= ${from.toISOString()}::timestamptz
        and e.ingested_at < ${to.toISOString()}::timestamptz and e.erased_at is null
        and not exists (select from recorded r where r.event_id = e.id)
    ),
    totals as (
      select kind, count(*) as runs, count(error_name) as failed, count(*) filter (where attempt > 1) as retries,
        count(ms) as timed, percentile_cont(array[0.5, 0.95]) within group (order by ms) as percentiles
      from calls
      group by kind
    ),
    failures as (
      select kind, json_object_agg(error_name, count) as by_name
      from (select kind, error_name, count(*) as count from calls where error_name is not null group by 1, 2) f
      group by kind
    ),
    waiting as (
      select kind, count(*) as count, min(event_id) as oldest_id from relay.event_work where state = 'open' group by kind
    )
    select kind, coalesce(t.runs, 0)::float8 as runs, coalesce(t.failed, 0)::float8 as failed,
      coalesce(f.by_name, '{}') as failures, coalesce(t.retries, 0)::float8 as retries,
      coalesce(t.timed, 0)::float8 as timed, t.percentiles, coalesce(w.count, 0)::float8 as open,
      ${isoText(sql`(select ingested_at from relay.events where id = w.oldest_id)`)} as "oldestOpenAt"
    from totals t
    full join waiting w using (kind)
    left join failures f using (kind)
    order by runs desc, kind
  `);
  return {
    window: { from: from.toISOString(), to: to.toISOString() },
    handlers: rows.map(({ timed, percentiles, ...row }) => ({ ...row, handlerMs: timesOf(timed, percentiles) })),
  };
}

interface HandlerTimes extends Record<string, unknown> {
  timed: number;
  percentiles: [p50: number | null, p95: number | null] | null;
}

function timesOf(count: number, percentiles: HandlerTimes["percentiles"]): HandlerSummary["handlerMs"] {
  const [p50, p95] = percentiles ?? [];
  return typeof p50 === "number" && typeof p95 === "number" ? { count, p50, p95 } : null;
}
