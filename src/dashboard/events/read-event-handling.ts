import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";
import { ingestedBatches } from "#store/deliveries/delivery-outcomes.ts";

import { type HandlerCall, handlerCallJson } from "../handlers/read-handler-calls.ts";
import { isoText } from "../iso-text.ts";
import { eventState } from "./event-conditions.ts";
import type { EventState } from "./event-filter.ts";

/** What was done to handle one event. */
export interface EventHandling {
  eventId: number;
  kind: string;
  state: EventState;
  /** Attempts so far, and how many there are at most: one and its retries. */
  attempt: number;
  of: number;
  /** Null unless it is open or retrying. */
  nextAttemptAt: string | null;
  /** The newest calls of its handler, in the order of time. */
  calls: HandlerCall[];
}

const eventsMax = 100;
const callsMax = 20;

/**
 * How the handlers fared with the events that a delivery brought first: those that are open or dead, then those whose calls
 * are recorded, a hundred at most. A success at the first attempt is not recorded by itself, see `handler_attempts`.
 */
export async function readEventHandling(db: Database, uuid: string, handlerRetries: number): Promise<EventHandling[]> {
  const { rows } = await db.execute<Omit<EventHandling, "of" | "calls"> & { calls: HandlerCall[] | null }>(sql`
    select e.id::float8 as "eventId", e.kind, ${eventState} as state,
      coalesce(w.attempts, recorded.attempts, 0) as attempt,
      case when w.state = 'open' then ${isoText(sql`w.next_attempt_at`)} end as "nextAttemptAt", recorded.calls
    from (
      select w.event_id
      from ${ingestedBatches(uuid)} b
      join relay.event_work w on w.event_id between b.first_event_id and b.last_event_id
      union
      select a.event_id
      from ${ingestedBatches(uuid)} b
      cross join lateral (
        select event_id from relay.handler_attempts where event_id between b.first_event_id and b.last_event_id offset 0
      ) a
    ) found
    -- \`offset 0\` keeps the planner from reading all events for those of the delivery, which has no index.
    cross join lateral (
      select * from relay.events where id = found.event_id and delivery_id = ${uuid} offset 0
    ) e
    left join relay.event_work w on w.event_id = e.id
    cross join lateral (
      select max(a.attempt) as attempts,
        json_agg(${handlerCallJson} order by a.at) as calls
      from (
        select * from relay.handler_attempts where event_id = e.id order by at desc limit ${callsMax}
      ) a
    ) recorded
    order by w.event_id is null, e.id
    limit ${eventsMax}
  `);
  return rows.map(({ calls, ...row }) => ({ ...row, of: handlerRetries + 1, calls: calls ?? [] }));
}
