import type { Pool } from "pg";

/** What is open of an event, and how it stands. */
export interface WorkRow {
  id: number;
  key: string;
  state: "open" | "dead";
  attempts: number;
  deaths: number;
  leased: boolean;
  /** Seconds until the next attempt, and until maintenance takes it up; null where no message is under way. */
  dueIn: number;
  queuedFor: number | null;
  error: string | null;
}

/** Everything that is not handled, in the order of the ids. */
export async function readWork(pool: Pool): Promise<WorkRow[]> {
  const { rows } = await pool.query<WorkRow>(`
    select w.event_id::float8 as id, e.key, w.state, w.attempts, w.deaths, coalesce(w.leased_until > now(), false) as leased,
      extract(epoch from w.next_attempt_at - now())::float8 as "dueIn",
      extract(epoch from w.queued_until - now())::float8 as "queuedFor", w.error_name as error
    from relay.event_work w join relay.events e on e.id = w.event_id order by w.event_id`);
  return rows;
}

/** The keys of the events that are stored, or of those that are handled, in the order of the ids. */
export async function readKeys(pool: Pool, which: "stored" | "handled"): Promise<string[]> {
  const handled = "where not exists (select from relay.event_work w where w.event_id = e.id)";
  const { rows } = await pool.query<{ key: string }>(
    `select key from relay.events e ${which === "handled" ? handled : ""} order by id`,
  );
  return rows.map(({ key }) => key);
}

export interface TryRow {
  key: string;
  attempt: number;
  error: string | null;
  code: string | null;
  message: string | null;
  frames: string[] | null;
  deployment: string | null;
  messageId: string | null;
  replayId: string | null;
}

/** The calls of handlers that have rows, in the order of events and attempts. */
export async function readTries(pool: Pool): Promise<TryRow[]> {
  const { rows } = await pool.query<TryRow>(`
    select e.key, a.attempt, a.error_name as error, a.error_code as code, a.error_message as message, a.frames, a.deployment,
      a.message_id as "messageId", a.replay_id as "replayId"
    from relay.handler_attempts a join relay.events e on e.id = a.event_id order by e.id, a.attempt, a.at`);
  return rows;
}

/** What handlers have counted. */
export async function readCounts(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    "select name, sum(count)::float8 as count from relay.handler_count_increments group by name order by name",
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** Lets the time of every next attempt come. */
export async function makeDue(pool: Pool): Promise<void> {
  await pool.query("update relay.event_work set next_attempt_at = now() where next_attempt_at > now()");
}

/** Lets every lease run out. */
export async function endLeases(pool: Pool): Promise<void> {
  await pool.query(
    "update relay.event_work set leased_until = now() - interval '1 second' where leased_until is not null",
  );
}
