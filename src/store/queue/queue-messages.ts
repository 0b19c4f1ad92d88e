// The queue in Postgres: messages with a route, a time from which they are due, and a lease. By Postgres's clock.
import type { Database } from "../connection/database.ts";
import { defineStatement, runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";

export interface MessageToEnqueue {
  route: string;
  body: Uint8Array;
  /** How long it is not taken. */
  delayMs: number;
  /** Null for a message that is never the same as another. */
  deduplicationId: string | null;
  label: string;
  /** Of the trace that it belongs to. */
  traceparent?: string | null;
}

const parameters = {
  route: "text",
  body: "bytea",
  delayMs: "float8",
  deduplicationId: "text",
  label: "text",
  traceparent: "text",
  ids: "bigint[]",
  leaseIds: "uuid[]",
  id: "bigint",
  leaseId: "uuid",
  isUncounted: "boolean",
} as const;
type Name = keyof typeof parameters;

const insert = defineStatement<Name>(
  `insert into relay.queue_messages (route, body, due_at, deduplication_id, label, traceparent)
  values (:route, :body, now() + :delayMs * interval '1 millisecond', :deduplicationId, :label, :traceparent)
  on conflict (deduplication_id) where deduplication_id is not null do update set deduplication_id = excluded.deduplication_id
  returning id::text as id`,
  parameters,
);

/**
 * Adds a message, committed when this resolves with its id; while one with the same deduplication id lies there, that one's
 * id. Throws `STORE_UNAVAILABLE`.
 */
export async function enqueueMessage(db: Database, message: MessageToEnqueue): Promise<string> {
  const rows = await run<{ id: string }>(db, insert, { traceparent: null, ...message });
  return rows[0]?.id ?? "";
}

/** Of the messages that are dealt with, as other statements carry it along. */
export const removeText = "delete from relay.queue_messages where id = any(:ids) and lease_id = any(:leaseIds)";
const remove = defineStatement<Name>(removeText, parameters);
const release = defineStatement<Name>(
  `update relay.queue_messages set leased_until = null, lease_id = null, due_at = now() + :delayMs * interval '1 millisecond',
    takings = takings - :isUncounted::integer
  where id = :id and lease_id = :leaseId`,
  parameters,
);

/** Deletes messages that are dealt with, unless another has taken them since. Throws `STORE_UNAVAILABLE`. */
export async function deleteMessages(db: Database, receipts: readonly string[]): Promise<void> {
  await run(db, remove, partsOfAll(receipts));
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

/** The values of `removeText`. */
export function partsOfAll(receipts: readonly string[]): { ids: string[]; leaseIds: string[] } {
  const parts = receipts.map(partsOf);
  return { ids: parts.map(({ id }) => id), leaseIds: [...new Set(parts.map(({ leaseId }) => leaseId))] };
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

async function run<Row extends object>(
  db: Database,
  statement: typeof insert,
  values: Partial<Record<Name, unknown>>,
): Promise<Row[]> {
  return withStoreErrors(() => runStatement<Row & Record<string, unknown>, Name>(db.$client, statement, values));
}
