import { type SQL, sql } from "drizzle-orm";

import type { Database, Transaction } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { inTransaction } from "../connection/transaction.ts";
import { afterEvent, selectedEvents } from "./replay-filter.ts";
import type { Replay } from "./replays.ts";

/** What the present parser makes of the data of an event of kind `unknown`. */
export interface Reclassified {
  kind: string;
  senderId: string | null;
  recipientId: string | null;
  standby: boolean;
  drifted: boolean;
  /** JSON text. */
  data: string;
}

/** Undefined if the event is still of no known kind. */
export type Reclassify = (event: { data: string; accountId: string; standby: boolean }) => Reclassified | undefined;

export interface ReplayStep {
  /** Events that are to be handled now. */
  eventIds: number[];
  /** Whether the last event is taken. */
  isEnd: boolean;
}

/** A message names the events for so long; then the sweep takes care of those that are still open. */
const queuedFor = sql`interval '5 minutes'`;

/**
 * Takes the next events of a running replay: in one transaction they are opened for it, their attempts begin anew, and the
 * cursor passes them, so that a process that dies leaves nothing half done. What another process handles at this moment, and
 * what waits for another running replay, is left to it. Undefined if the replay does not run. Throws `STORE_UNAVAILABLE`.
 */
export async function takeReplayEvents(
  db: Database,
  replay: Replay,
  { limit, reclassify }: { limit: number; reclassify: Reclassify },
): Promise<ReplayStep | undefined> {
  return withStoreErrors(() =>
    inTransaction(db, async (tx) => {
      const { rows: running } = await tx.execute<{ cursor: number }>(
        sql`select cursor::float8 as cursor from relay.replays where id = ${replay.id} and state = 'running' for update`,
      );
      const cursor = running[0]?.cursor;
      if (cursor === undefined || cursor < 0) return undefined;
      const after = Math.max(cursor, firstEventIdOf(replay) - 1);
      const { rows } = await tx.execute<{ id: number }>(sql`
        select e.id::float8 as id ${selectedEvents(replay)} ${afterEvent(replay, after)} order by e.id limit ${limit}`);
      const ids = rows.map(({ id }) => id);
      const known = replay.filter.unknown === true ? await reclassifyEvents(tx, ids, reclassify) : ids;
      const eventIds = await openEvents(tx, replay, known);
      const isEnd = ids.length < limit;
      await tx.execute(
        sql`update relay.replays set cursor = ${isEnd ? replay.eventIdMax : (ids.at(-1) ?? cursor)} where id = ${replay.id}`,
      );
      return { eventIds, isEnd };
    }),
  );
}

/** The plan knows the first event: to find it again may take a look at all events before. */
function firstEventIdOf({ plan }: Replay): number {
  return typeof plan["firstEventId"] === "number" ? plan["firstEventId"] : 0;
}

async function openEvents(tx: Transaction, replay: Replay, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const isFree = sql`(w.leased_until is null or w.leased_until < now())`;
  const isElsewhere = sql`(w.replay_id <> ${replay.id} and w.state = 'open' and w.attempts = 0 and exists (
    select from relay.replays o where o.id = w.replay_id and o.state = 'running'))`;
  const anew = sql`state = 'open', attempts = 0, deaths = 0, leased_until = null, next_attempt_at = now(),
    queued_until = now() + ${queuedFor}, fence = w.fence + 1, replay_id = ${replay.id}`;
  const conditions = sql`${isFree} and not coalesce(${isElsewhere}, false)`;
  const isHandledToo = replay.mode === "again" || replay.filter.unknown === true;
  const { rows } = await tx.execute<{ id: number }>(
    isHandledToo
      ? // A handled event has no work: its row is new, and its fence that of the batch's own lease.
        sql`insert into relay.event_work as w (event_id, delivery_id, batch_index, fence, next_attempt_at, queued_until, kind, conversation, replay_id)
          select e.id, e.delivery_id, e.batch_index, 1, now(), now() + ${queuedFor}, e.kind, ${conversation}, ${replay.id}
          from relay.events e where e.id = any(${sql.param([...ids])}::bigint[]) and e.erased_at is null order by e.id
          on conflict (event_id) do update set ${anew}, kind = excluded.kind where ${conditions}
          returning event_id::float8 as id`
      : sql`update relay.event_work w set ${anew} where event_id in (
            select event_id from relay.event_work where event_id = any(${sql.param([...ids])}::bigint[]) order by event_id for update)
            and ${conditions} returning event_id::float8 as id`,
  );
  return rows.map(({ id }) => id).toSorted((a, b) => a - b);
}

/** As the consumer stores it: see event-to-store.ts. */
const conversation = sql`nullif(e.account_id, '') || ':' || case when e.sender_id = e.account_id then e.recipient_id else e.sender_id end`;

/** Changes the kind of what is known now; the keys stay, and the ids. Returns the ids of what is known. */
async function reclassifyEvents(tx: Transaction, ids: readonly number[], reclassify: Reclassify): Promise<number[]> {
  const known: number[] = [];
  for (const { id, ...event } of await readUnknown(tx, sql`id = any(${sql.param([...ids])}::bigint[])`, ids.length)) {
    const found = reclassify(event);
    if (found === undefined) continue;
    await tx.execute(sql`
      update relay.events set kind = ${found.kind}, sender_id = ${found.senderId}, recipient_id = ${found.recipientId},
        standby = ${found.standby}, drifted = ${found.drifted}, data = ${found.data}::json where id = ${id}`);
    known.push(id);
  }
  return known;
}

/** A selection of unknown events may hold so many, because a plan reads each. */
export const unknownEventsMax = 20_000;

/** How many of the selected unknown events the present parser knows, by kind. Throws `STORE_UNAVAILABLE`. */
export async function countReclassified(
  db: Database,
  replay: Pick<Replay, "filter" | "mode" | "eventIdMax">,
  reclassify: Reclassify,
): Promise<Record<string, number>> {
  const byKind: Record<string, number> = {};
  await withStoreErrors(async () => {
    for (let cursor = 0, rows = 1; rows > 0;) {
      const page = await db.execute<UnknownEvent>(sql`
        select e.id::float8 as id, e.data::text as data, e.account_id as "accountId", e.standby ${selectedEvents(replay)} ${afterEvent(replay, cursor)} order by e.id limit 1000`);
      for (const event of page.rows) {
        const kind = reclassify(event)?.kind;
        if (kind !== undefined) byKind[kind] = (byKind[kind] ?? 0) + 1;
      }
      rows = page.rows.length;
      cursor = page.rows.at(-1)?.id ?? cursor;
    }
  });
  return byKind;
}

type UnknownEvent = { id: number; data: string; accountId: string; standby: boolean };

async function readUnknown(tx: Transaction, condition: SQL, limit: number): Promise<UnknownEvent[]> {
  const { rows } = await tx.execute<UnknownEvent>(sql`
    select id::float8 as id, data::text as data, account_id as "accountId", standby from relay.events
    where ${condition} and kind = 'unknown' and erased_at is null order by id limit ${limit} for update`);
  return rows;
}
