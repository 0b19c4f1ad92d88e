import { type SQL, sql } from "drizzle-orm";

import type { Runtime } from "#platform/delivery.ts";

import { deliveryUuid } from "../ingest/delivery-uuid.ts";

/** The state of an event. `retrying`: its handler has failed, and is tried again. Mode `unfinished` takes none that is `handled`. */
export const replayStates = ["open", "retrying", "dead", "handled"] as const;

/**
 * What a replay takes: every event that meets all conditions and came before the plan. `from` and `to` are ISO 8601, by the
 * time of ingestion; null in `from` for no limit.
 */
export interface ReplayFilter {
  ids?: readonly number[] | undefined;
  kind?: string | undefined;
  account?: string | undefined;
  sender?: string | undefined;
  state?: (typeof replayStates)[number] | undefined;
  /** The name or the code of the handler's error. */
  error?: string | undefined;
  /** Of dead letters. */
  group?: number | undefined;
  deliveryId?: string | undefined;
  /** Which of our runtimes received the delivery that brought it. */
  runtime?: Runtime | undefined;
  test?: boolean | undefined;
  standby?: boolean | undefined;
  drifted?: boolean | undefined;
  /** The id of another replay that has run its handler, or is about to. */
  replay?: string | undefined;
  /** Events of kind `unknown` that the present release knows: they are classified again. */
  unknown?: true | undefined;
  from?: string | null | undefined;
  to: string;
}

/** Which events of the filter: those that are not handled, or handled ones too. */
export type ReplayMode = "unfinished" | "again";

export interface ReplaySelection {
  filter: ReplayFilter;
  mode: ReplayMode;
  eventIdMax: number;
}

/** `from … where …` of the selected events, with `e` for the event and `w` for its work, which a handled one has not. */
export function selectedEvents({ filter, mode, eventIdMax }: ReplaySelection): SQL {
  // What is classified again has perhaps been handled, but not by its kind's handler.
  const isHandledToo = mode === "again" || filter.unknown === true;
  const joined = isHandledToo
    ? sql`relay.events e left join relay.event_work w on w.event_id = e.id`
    : sql`relay.event_work w join relay.events e on e.id = w.event_id`;
  const conditions = [sql`e.id <= ${eventIdMax}`, sql`e.erased_at is null`, ...conditionsOf(filter)];
  return sql`from ${joined} where ${sql.join(conditions, sql` and `)}`;
}

/** SQL: further conditions on selected events, which come after this one. */
export function afterEvent({ filter, mode }: Pick<ReplaySelection, "filter" | "mode">, eventId: number): SQL {
  // The planner carries an equality over to the other side of a join, and no comparison.
  const ofWork = mode === "again" || filter.unknown === true ? sql`` : sql` and w.event_id > ${eventId}`;
  return sql`and e.id > ${eventId}${ofWork}`;
}

/** SQL: the event's state, of `replayStates` or `handled`. */
export const stateOfWork = sql`case when w.event_id is null then 'handled' when w.state = 'dead' then 'dead'
  when w.first_failed_at is not null or w.deaths > 0 then 'retrying' else 'open' end`;

function conditionsOf(filter: ReplayFilter): SQL[] {
  const { ids, kind, account, sender, state, error, group, deliveryId, unknown, from, to } = filter;
  const { runtime, test, standby, drifted, replay } = filter;
  const conditions: SQL[] = [sql`e.ingested_at < ${to}::timestamptz`];
  if (typeof from === "string") conditions.push(sql`e.ingested_at >= ${from}::timestamptz`);
  if (ids !== undefined) conditions.push(sql`e.id = any(${sql.param([...ids])}::bigint[])`);
  if (kind !== undefined) conditions.push(sql`e.kind = ${kind}`);
  if (unknown === true) conditions.push(sql`e.kind = 'unknown'`);
  if (account !== undefined) conditions.push(sql`e.account_id = ${account}`);
  if (sender !== undefined) conditions.push(sql`e.sender_id = ${sender}`);
  if (state !== undefined) conditions.push(sql`${stateOfWork} = ${state}`);
  if (error !== undefined) {
    conditions.push(sql`(w.error_name = ${error} or w.error_code = ${error} or (w.event_id is null and e.id in (
      select event_id from relay.handler_attempts where error_name = ${error} or error_code = ${error})))`);
  }
  if (group !== undefined) {
    conditions.push(
      sql`e.id in (select event_id from relay.dead_letters where group_id = ${group} and event_id is not null)`,
    );
  }
  if (deliveryId !== undefined) conditions.push(sql`e.id in (${eventsOf(deliveryUuid(deliveryId))})`);
  if (runtime !== undefined) {
    conditions.push(sql`exists (select from relay.deliveries d where d.id = e.delivery_id and d.runtime = ${runtime})`);
  }
  if (test !== undefined) conditions.push(sql`e.test = ${test}`);
  if (standby !== undefined) conditions.push(sql`e.standby = ${standby}`);
  if (drifted !== undefined) conditions.push(sql`e.drifted = ${drifted}`);
  if (replay !== undefined) {
    conditions.push(sql`(w.replay_id = ${replay} or e.id in (
      select event_id from relay.handler_attempts where replay_id = ${replay}))`);
  }
  return conditions;
}

/** The ids of what a delivery carried. Events have no index by delivery: it knows the range of their ids. */
function eventsOf(deliveryId: string): SQL {
  return sql`select c.id from relay.events c join (
      select first_event_id as first, last_event_id as last from relay.deliveries where id = ${deliveryId}
      union all select first_event_id, last_event_id from relay.delivery_batches where delivery_id = ${deliveryId}) r
      on c.id between r.first and r.last where c.delivery_id = ${deliveryId}
    union all select event_id from relay.duplicate_events where delivery_id = ${deliveryId}`;
}

/**
 * `from … where …` of the batches that were never ingested and meet the conditions, with `l` for the dead letter; undefined
 * if a condition concerns single events, which are not known of such a batch.
 */
export function selectedLetters(selection: Pick<ReplaySelection, "filter">): SQL | undefined {
  return lettersOf(selection, hasBatch);
}

/** The same of those that meet the conditions and cannot be published again. */
export function lettersWithoutBatch(selection: Pick<ReplaySelection, "filter">): SQL | undefined {
  return lettersOf(selection, sql`not (${hasBatch})`);
}

/** What was undecodable has no delivery; QStash's callback may have cut the bytes. */
const hasBatch = sql`l.delivery_id is not null and l.body_whole and l.body is not null`;

function lettersOf({ filter }: Pick<ReplaySelection, "filter">, condition: SQL): SQL | undefined {
  const { state, error, group, deliveryId, from, to, ...ofEvents } = filter;
  if (Object.values(ofEvents).some((one) => one !== undefined)) return undefined;
  if (state !== undefined && state !== "dead") return undefined;
  const conditions = [
    sql`l.source = 'qstash' and l.resolved_at is null and ${condition}`,
    sql`l.recorded_at < ${to}::timestamptz`,
    ...(typeof from === "string" ? [sql`l.recorded_at >= ${from}::timestamptz`] : []),
    ...(error === undefined ? [] : [sql`(l.error_name = ${error} or l.error_code = ${error})`]),
    ...(group === undefined ? [] : [sql`l.group_id = ${group}`]),
    ...(deliveryId === undefined ? [] : [sql`l.delivery_id = ${deliveryUuid(deliveryId)}`]),
  ];
  return sql`from relay.dead_letters l where ${sql.join(conditions, sql` and `)}`;
}
