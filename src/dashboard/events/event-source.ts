import { sql, type SQL } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { ingestedBatches } from "#store/deliveries/delivery-outcomes.ts";
import { deliveryUuid, hashUuid } from "#store/ingest/delivery-uuid.ts";

import { isAnyonesId } from "../find/is-anyones-id.ts";
import type { EventFilter } from "./event-filter.ts";
import { eventsOfItem, isHiddenMessage } from "./events-of-item.ts";

/**
 * Where the candidates for a page of events come from: an index that yields them in the order of their ids. Its alias for
 * events is `e`.
 */
export interface EventSource {
  from: SQL;
  /** The column to order by. */
  id: SQL;
  where: SQL;
  /** The filter's conditions that hold for every candidate. */
  settles: readonly (keyof EventFilter)[];
}

const allEvents = { from: sql`relay.events e`, id: sql`e.id` };

/** Of events that have work. */
const workStates: ReadonlySet<string> = new Set(["open", "retrying", "unhandled", "dead"]);

/** The source with the fewest candidates, as far as the filter shows. */
export async function findEventSource(db: Database, filter: EventFilter): Promise<EventSource> {
  const { q, deliveryId, replay, state, error, sender, account, kind } = filter;
  const byId = q === undefined ? undefined : await findById(db, q);
  if (byId !== undefined) return byId;
  if (deliveryId !== undefined) return ofDelivery(deliveryId, ["deliveryId"]);
  if (replay !== undefined) return ofReplay(replay);
  if ((state !== undefined && workStates.has(state)) || error !== undefined) return ofOpenWork(filter);
  if (sender !== undefined) return { ...allEvents, where: sql`e.sender_id = ${sender}`, settles: ["sender"] };
  if (account !== undefined) return { ...allEvents, where: sql`e.account_id = ${account}`, settles: ["account"] };
  if (kind !== undefined) return { ...allEvents, where: sql`e.kind = ${kind}`, settles: ["kind"] };
  return { ...allEvents, where: sql`true`, settles: [] };
}

/** No text that a person types to search for, but an id as they are pasted. */
const idPattern = /^[\w.:=+/@-]{4,300}$/;

/** A message has been edited five times at most. */
const hiddenMax = 20;

/** What has exactly this id; undefined if nothing has, so that it is searched for as a text. */
async function findById(db: Database, q: string): Promise<EventSource | undefined> {
  if (!idPattern.test(q)) return undefined;
  const { rows } = await db.execute<{
    eventIds: number[] | null;
    delivery: boolean;
    sender: boolean;
    account: boolean;
  }>(sql`
    select
      (
        select array_agg(event_id::float8)
        from (
          select event_id from relay.event_keys where hash = ${hashUuid(q)}
          union all
          select event_id from ${eventsOfItem([q])} i
          union all
          (select e.id from relay.events e where ${isHiddenMessage(sql`${q}::text`)} limit ${hiddenMax})
        ) found
      ) as "eventIds",
      exists (select from relay.deliveries where id = ${deliveryUuid(q)}) as delivery,
      ${isAnyonesId("sender_id", sql`${q}::text`)} as sender,
      ${isAnyonesId("account_id", sql`${q}::text`)} as account
  `);
  const [found] = rows;
  if (found === undefined) return undefined;
  if (found.eventIds !== null)
    return { ...allEvents, where: sql`e.id = any(${sql.param(found.eventIds)}::bigint[])`, settles: ["q"] };
  if (found.delivery) return ofDelivery(q, ["q"]);
  if (found.sender) return { ...allEvents, where: sql`e.sender_id = ${q}`, settles: ["q"] };
  if (found.account) return { ...allEvents, where: sql`e.account_id = ${q}`, settles: ["q"] };
  return undefined;
}

/** The events that it brought lie between the first and the last of each batch; the others are linked. */
function ofDelivery(id: string, settles: EventSource["settles"]): EventSource {
  const uuid = deliveryUuid(id);
  const from = sql`(
    select n.id
    from ${ingestedBatches(uuid)} b
    cross join lateral (
      -- \`offset 0\` keeps the planner from reading all events for those of the delivery, which has no index.
      select id from relay.events where id between b.first_event_id and b.last_event_id and delivery_id = ${uuid} offset 0
    ) n
    union
    select event_id from relay.duplicate_events where delivery_id = ${uuid}
  ) s join relay.events e on e.id = s.id`;
  return { from, id: sql`s.id`, where: sql`true`, settles };
}

/** Of a table that holds nothing else, so that it is read as a whole rather than each of its events looked up. */
function ofOpenWork({ state, error, kind }: EventFilter): EventSource {
  const failed = sql`(s.first_failed_at is not null or s.deaths > 0)`;
  const conditions = [
    ...(state === "dead" ? [sql`s.state = 'dead'`] : []),
    ...(state === "unhandled" ? [sql`s.state = 'open'`] : []),
    ...(state === "retrying" ? [sql`s.state = 'open' and ${failed}`] : []),
    ...(state === "open" ? [sql`s.state = 'open' and not ${failed}`] : []),
    ...(error === undefined ? [] : [sql`(s.error_name = ${error} or s.error_code = ${error})`]),
    ...(kind === undefined ? [] : [sql`s.kind = ${kind}`]),
  ];
  return {
    from: sql`relay.event_work s join relay.events e on e.id = s.event_id`,
    id: sql`s.event_id`,
    where: sql.join([sql`true`, ...conditions], sql` and `),
    settles: ["error", "kind"],
  };
}

function ofReplay(replay: string): EventSource {
  const from = sql`(
    select event_id from relay.handler_attempts where replay_id = ${replay}
    union
    select event_id from relay.event_work where replay_id = ${replay}
  ) s join relay.events e on e.id = s.event_id`;
  return { from, id: sql`s.event_id`, where: sql`true`, settles: ["replay"] };
}
