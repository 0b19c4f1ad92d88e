import { sql, type SQL } from "drizzle-orm";

import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";

import type { EventFilter } from "./event-filter.ts";

/** The state of an event `e` whose row of `event_work` is `w`. */
export const eventState: SQL = sql`case
  when e.erased_at is not null then 'erased'
  when w.event_id is null then 'handled'
  when w.state = 'dead' then 'dead'
  when w.first_failed_at is not null or w.deaths > 0 then 'retrying'
  else 'open'
end`;

/** The filter's conditions on an event `e` with its row `w` of `event_work`, but those that are `settled` already. */
export function eventConditions(filter: EventFilter, settled: readonly (keyof EventFilter)[]): SQL[] {
  const { kind, account, sender, q, deliveryId, state, error, runtime, test, standby, drifted, replay } = filter;
  const all: Partial<Record<keyof EventFilter, SQL | undefined>> = {
    kind: kind === undefined ? undefined : sql`e.kind = ${kind}`,
    account: account === undefined ? undefined : sql`e.account_id = ${account}`,
    sender: sender === undefined ? undefined : sql`e.sender_id = ${sender}`,
    q: q === undefined ? undefined : containsText(q),
    deliveryId: deliveryId === undefined ? undefined : isOfDelivery(deliveryUuid(deliveryId)),
    state: state === undefined ? undefined : isInState(state),
    error: error === undefined ? undefined : sql`(w.error_name = ${error} or w.error_code = ${error})`,
    runtime:
      runtime === undefined
        ? undefined
        : // Looked up for each candidate: the planner would make `exists` a join, and read all deliveries.
          sql`(select d.runtime from relay.deliveries d where d.id = e.delivery_id) = ${runtime}`,
    test: test === undefined ? undefined : sql`e.test = ${test}`,
    standby: standby === undefined ? undefined : sql`e.standby = ${standby}`,
    drifted: drifted === undefined ? undefined : sql`e.drifted = ${drifted}`,
    replay: replay === undefined ? undefined : isOfReplay(replay),
  };
  return Object.entries(all).flatMap(([name, condition]) =>
    condition === undefined || settled.includes(name as keyof EventFilter) ? [] : [condition],
  );
}

function isInState(state: NonNullable<EventFilter["state"]>): SQL {
  return state === "unhandled" ? sql`${eventState} in ('open', 'retrying')` : sql`${eventState} = ${state}`;
}

function isOfDelivery(uuid: string): SQL {
  const link = sql`select from relay.duplicate_events l where l.delivery_id = ${uuid} and l.event_id = e.id`;
  return sql`(e.delivery_id = ${uuid} or exists (${link}))`;
}

function isOfReplay(replay: string): SQL {
  const attempt = sql`select from relay.handler_attempts a where a.replay_id = ${replay} and a.event_id = e.id`;
  return sql`(w.replay_id = ${replay} or exists (${attempt}))`;
}

/** Text in the data is escaped: a quotation mark, a line break or NUL is found by its JSON spelling. */
function containsText(q: string): SQL {
  const data = sql`e.data::text`;
  const inJson = JSON.stringify(q).slice(1, -1);
  if (q.includes("\0")) return contains(data, inJson);
  const columns = [data, sql`e.key`, sql`e.sender_id`, sql`e.recipient_id`].map((column) => contains(column, q));
  return sql`(${sql.join(inJson === q ? columns : [...columns, contains(data, inJson)], sql` or `)})`;
}

function contains(column: SQL, part: string): SQL {
  return sql`${column} ilike ${`%${part.replace(/[\\%_]/g, "\\$&")}%`}`;
}
