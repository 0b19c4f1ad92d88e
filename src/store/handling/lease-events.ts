import { randomUUID } from "node:crypto";

import type { EventKind } from "#instagram/events.ts";

import type { Database } from "../connection/database.ts";
import { defineStatement, oneRow, runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import type { LeasedEvent, ReplayContext } from "./leased-event.ts";

export interface LeaseOptions {
  leaseMs: number;
  /** Only events of this replay. */
  replayId?: string | null;
}

export interface Leases {
  /** In the order of their ids. */
  leased: LeasedEvent[];
  /** Open, due and free, and not leased: a lease of them ended without a result, so they must be leased one at a time. */
  deathIds: number[];
}

/** A message may come this much before the time for which it was published. */
const earlyMs = 1_000;

const parameters = {
  ids: "bigint[]",
  leaseMs: "integer",
  leaseId: "uuid",
  replayId: "text",
  isAlone: "boolean",
} as const;

const text = `with wanted as materialized (
  select id from unnest(:ids) u (id) where ${oneRow("id")} order by id
), free as materialized (
  select w.event_id, w.is_own, w.deaths + case when w.is_own or w.leased_until is null then 0 else 1 end as deaths
  from wanted cross join lateral (
    select event_id, deaths, leased_until, coalesce(lease_id = :leaseId, false) as is_own from relay.event_work w
    where w.event_id = wanted.id and state = 'open' and (:replayId is null or replay_id = :replayId)
      and (coalesce(lease_id = :leaseId, false) or next_attempt_at <= now() + ${earlyMs} * interval '1 millisecond'
        and (leased_until is null or leased_until <= now()))
    for update skip locked
  ) w
), leased as (
  update relay.event_work w
  set attempts = attempts + (not free.is_own)::integer, fence = fence + (not free.is_own)::integer, deaths = free.deaths,
    queued_until = null, lease_id = :leaseId, leased_until = now() + :leaseMs * interval '1 millisecond'
  from free where w.event_id = free.event_id and (free.deaths = 0 or :isAlone)
  returning w.event_id, w.fence, w.attempts, w.deaths, w.delivery_id, w.batch_index, w.conversation, w.replay_id
)
select free.event_id::float8 as id, l.fence, l.attempts, l.deaths, l.delivery_id, l.batch_index, l.conversation,
  r.id as replay_id, r.mode, r.reason, e.key, e.kind, e.account_id, e.sender_id, e.recipient_id, e.occurred_at, e.sent_at,
  e.standby, e.test, e.drifted, e.data::text as data
from free left join leased l on l.event_id = free.event_id
left join relay.replays r on r.id = l.replay_id
left join relay.events e on e.id = l.event_id
order by 1`;

const statement = defineStatement<keyof typeof parameters>(text, parameters);

interface Row {
  id: number;
  /** Null for an event that was not leased, as everything that follows. */
  fence: number | null;
  attempts: number;
  deaths: number;
  delivery_id: string;
  batch_index: number;
  conversation: string | null;
  replay_id: string | null;
  mode: ReplayContext["mode"];
  reason: string;
  /** Null, too, if retention has removed the event. */
  key: string | null;
  kind: EventKind;
  account_id: string;
  sender_id: string | null;
  recipient_id: string | null;
  occurred_at: Date | null;
  sent_at: Date | null;
  standby: boolean;
  test: boolean;
  drifted: boolean;
  data: string;
}

/**
 * Takes a lease, by Postgres's clock, on each of these events that is open, due and free. An event of which a lease ended
 * without a result is leased only if it is the only one asked for, so that the next death is its own. If the statement's
 * answer is lost and it is sent again, it finds its leases. Throws `STORE_UNAVAILABLE`.
 */
export async function leaseEvents(
  db: Database,
  eventIds: readonly number[],
  { leaseMs, replayId = null }: LeaseOptions,
): Promise<Leases> {
  if (eventIds.length === 0) return { leased: [], deathIds: [] };
  const call = { leaseMs: Math.ceil(leaseMs), leaseId: randomUUID(), replayId };
  const values = { ids: eventIds, ...call, isAlone: eventIds.length === 1 };
  const rows = await withStoreErrors(() => runStatement<Row, keyof typeof parameters>(db.$client, statement, values));
  const gone = rows.filter(({ fence, key }) => fence !== null && key === null).map(({ id }) => id);
  if (gone.length > 0) await dropWork(db, gone);
  return {
    leased: rows.flatMap((row) => toLeased(row) ?? []),
    deathIds: rows.filter(({ fence }) => fence === null).map(({ id }) => id),
  };
}

/** A replay may open an event at the moment in which retention removes it; nothing is left to handle. */
async function dropWork(db: Database, eventIds: readonly number[]): Promise<void> {
  await withStoreErrors(() => db.$client.query("delete from relay.event_work where event_id = any ($1)", [eventIds]));
}

function toLeased(row: Row): LeasedEvent | null {
  if (row.fence === null || row.key === null) return null;
  const { id, fence, deaths, key, kind, standby, test, drifted, data, conversation, mode, reason } = row;
  return {
    id,
    fence,
    attempt: row.attempts,
    deaths,
    key,
    kind,
    accountId: row.account_id,
    senderId: row.sender_id,
    recipientId: row.recipient_id,
    occurredAt: row.occurred_at,
    sentAt: row.sent_at,
    standby,
    test,
    drifted,
    data,
    conversation,
    deliveryId: row.delivery_id,
    batchIndex: row.batch_index,
    replay: row.replay_id === null ? null : { id: row.replay_id, mode, reason },
  };
}
