import { sql, type SQL } from "drizzle-orm";

import type { Database } from "#store/connection/database.ts";

import { isoText } from "../iso-text.ts";

/** One call of a handler. */
export interface HandlerCall {
  at: string;
  ms: number;
  attempt: number;
  /** The error's name; null for a success. */
  error: string | null;
  code: string | null;
  /** Only if the error says that it may be shown. */
  message: string | null;
  frames: string[];
  deployment: string | null;
  /** The replay that it was part of. */
  replay: string | null;
}

/** SQL: a row `a` of `handler_attempts` as a `HandlerCall`. */
export const handlerCallJson: SQL = sql`json_build_object(
  'at', ${isoText(sql`a.at`)}, 'ms', a.ms, 'attempt', a.attempt, 'error', a.error_name, 'code', a.error_code,
  'message', a.error_message, 'frames', coalesce(a.frames, '{}'), 'deployment', a.deployment, 'replay', a.replay_id
)`;

const callsMax = 200;

/** The newest 200 calls of an event's handler, in the order of time. A success at the first attempt is not recorded by itself. */
export async function readHandlerCalls(db: Database, eventId: number): Promise<HandlerCall[]> {
  const { rows } = await db.execute<{ call: HandlerCall }>(sql`
    select ${handlerCallJson} as call
    from (select * from relay.handler_attempts where event_id = ${eventId} order by at desc limit ${callsMax}) a
    order by a.at
  `);
  return rows.map(({ call }) => call);
}
