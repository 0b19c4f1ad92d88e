// The queue in Postgres: messages with a route, a time from which they are due, and a lease. By Postgres's clock.
import { randomUUID } from "node:crypto";

import type { Database } from "./database.ts";
import { defineStatement, runStatement } from "./named-statement.ts";
import { withStoreErrors } from "./store-error.ts";

export interface MessageToEnqueue {
  route: string;
  body: Uint8Array;
  /** How long it is not taken. */
  delayMs: number;
  /** Null for a message that is never the same as another. */
  deduplicationId: string | null;
  label: string;
}

/** A message that was taken, for as long as its lease lasts. */
export interface TakenMessage {
  id: string;
  /** Names the message and the lease: of no use once the lease has ended and another has taken the message. */
  receipt: string;
  route: string;
  body: Uint8Array<ArrayBuffer>;
  /** How often it was taken before. */
  retried: number;
}

const parameters = {
  route: "text",
  body: "bytea",
  delayMs: "float8",
  deduplicationId: "text",
  label: "text",
  countMax: "integer",
  leaseMs: "integer",
  leaseId: "uuid",
  id: "bigint",
  isUncounted: "boolean",
} as const;
type Name = keyof typeof parameters;

const insert = defineStatement<Name>(
  `insert into relay.queue_messages (route, body, due_at, deduplication_id, label)
  values (:route, :body, now() + :delayMs * interval '1 millisecond', :deduplicationId, :label)
  on conflict (deduplication_id) where deduplication_id is not null do update set deduplication_id = excluded.deduplication_id
  returning id::text as id`,
  parameters,
);

/**
 * Adds a message, committed when this resolves with its id; while one with the same deduplication id lies there, that one's
 * id. Throws `STORE_UNAVAILABLE`.
 */
export async function enqueueMessage(db: Database, message: MessageToEnqueue): Promise<string> {
  const rows = await run<{ id: string }>(db, insert, { ...message });
  return rows[0]?.id ?? "";
}

/** Batches are left where they are while ingestion is paused. */
const openRoutes = `(select route from (values ('instagram-ingestion'), ('handlers'), ('maintenance')) r (route)
  where route <> 'instagram-ingestion' or not exists (select from relay.queue_pause)) r`;

/**
 * From the index's beginning for each route, so that neither messages that are not due nor those of another route are read.
 * What others hold is passed over: as many as their drains work on.
 */
const take = defineStatement<Name>(
  `with found as materialized (
    select m.id from ${openRoutes} cross join lateral (
      select id, due_at from relay.queue_messages q
      where q.route = r.route and due_at <= now() and (leased_until is null or leased_until <= now())
      order by due_at limit :countMax for update skip locked
    ) m order by m.due_at limit :countMax
  )
  update relay.queue_messages q
  set leased_until = now() + :leaseMs * interval '1 millisecond', lease_id = :leaseId, takings = least(takings + 1, 32767)
  from found where q.id = found.id
  returning q.id::text as id, q.route, q.body, q.takings - 1 as retried`,
  parameters,
);

/**
 * Takes messages that are due and that no drain holds, the longest due first. If the answer is lost, they come again when the
 * lease ends. Throws `STORE_UNAVAILABLE`.
 */
export async function takeMessages(db: Database, countMax: number, leaseMs: number): Promise<TakenMessage[]> {
  const leaseId = randomUUID();
  const rows = await run<Omit<TakenMessage, "receipt" | "body"> & { body: Buffer }>(db, take, {
    countMax,
    leaseMs: Math.ceil(leaseMs),
    leaseId,
  });
  return rows.map(({ body, ...row }) => ({ ...row, body: new Uint8Array(body), receipt: `${row.id}.${leaseId}` }));
}

const remove = defineStatement<Name>(
  "delete from relay.queue_messages where id = :id and lease_id = :leaseId",
  parameters,
);
const release = defineStatement<Name>(
  `update relay.queue_messages set leased_until = null, lease_id = null, due_at = now() + :delayMs * interval '1 millisecond',
    takings = takings - :isUncounted::integer
  where id = :id and lease_id = :leaseId`,
  parameters,
);

/** Deletes a message that is dealt with, unless another has taken it since. Throws `STORE_UNAVAILABLE`. */
export async function deleteMessage(db: Database, receipt: string): Promise<void> {
  await run(db, remove, partsOf(receipt));
}

/**
 * Ends the lease; the message is due after the delay. `isUncounted`: as if it had not been taken. Does nothing if another has
 * taken it since. Throws `STORE_UNAVAILABLE`.
 */
export async function releaseMessage(
  db: Database,
  receipt: string,
  delayMs: number,
  isUncounted: boolean,
): Promise<void> {
  await run(db, release, { ...partsOf(receipt), delayMs, isUncounted });
}

function partsOf(receipt: string): { id: string; leaseId: string } {
  const [id = "0", leaseId = ""] = receipt.split(".");
  return { id, leaseId };
}

/** What lies in the table, for people: counted up to a limit. */
export interface QueueBacklog {
  /** Batches that wait or are being ingested. */
  batches: number;
  /** Messages that are due now and that no drain holds. */
  due: number;
  /** Since when the oldest of these is due. */
  oldestDueAt: Date | null;
}

/** Beyond this the exact number says nothing more. */
export const backlogMax = 10_000;

/** Bounded by `backlogMax` entries of an index. Throws `STORE_UNAVAILABLE`. */
export async function readBacklog(db: Database): Promise<QueueBacklog> {
  const { rows } = await withStoreErrors(() =>
    db.$client.query<QueueBacklog>(
      `select (select count(*)::integer from (
          select from relay.queue_messages where route = 'instagram-ingestion' limit ${backlogMax}) b) as batches,
        count(*)::integer as due, min(due_at) as "oldestDueAt"
      from (select m.due_at from (values ('instagram-ingestion'), ('handlers'), ('maintenance')) r (route)
        cross join lateral (select due_at from relay.queue_messages q where q.route = r.route and due_at <= now()
          and (leased_until is null or leased_until <= now()) order by due_at limit ${backlogMax}) m) d`,
    ),
  );
  return rows[0] ?? { batches: 0, due: 0, oldestDueAt: null };
}

/** In how many milliseconds the next message is due that no drain holds; null without one. */
export const nextDueText = `select extract(epoch from min(m.due_at) - now())::float8 * 1000 from ${openRoutes}
  cross join lateral (select due_at from relay.queue_messages q where q.route = r.route and leased_until is null
    order by due_at limit 1) m`;

async function run<Row extends object>(
  db: Database,
  statement: typeof insert,
  values: Partial<Record<Name, unknown>>,
): Promise<Row[]> {
  return withStoreErrors(() => runStatement<Row & Record<string, unknown>, Name>(db.$client, statement, values));
}
