import { sql } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";

import type { EventItem } from "./read-events.ts";

/** An event with which another one of its kind is compared. */
export interface GoodEvent {
  id: number;
  /** Its data as the text that is stored. */
  payload: string;
}

/** So far back it is looked for; ids are without gaps but for what was never committed. */
const idsMax = 100_000;

/**
 * The last event of the same kind before this one that was handled and fits our schema, among the hundred thousand events
 * before it; null if there is none.
 */
export async function readLastGoodEvent(
  db: Database,
  { id, kind }: Pick<EventItem, "id" | "kind">,
): Promise<GoodEvent | null> {
  const { rows } = await db.execute<GoodEvent & Record<string, unknown>>(sql`
    select id::float8 as id, data::text as payload
    from relay.events e
    where id < ${id} and id >= ${id - idsMax} and kind = ${kind} and not drifted and erased_at is null
      and not exists (select from relay.event_work w where w.event_id = e.id)
    order by id desc
    limit 1
  `);
  return rows[0] ?? null;
}
