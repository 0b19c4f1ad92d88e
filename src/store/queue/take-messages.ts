// Taking from the queue in Postgres, by its clock.
import { randomUUID } from "node:crypto";

import type { Database } from "../connection/database.ts";
import { defineStatement, runStatement } from "../connection/named-statement.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { partsOfAll, removeText } from "./queue-messages.ts";

/** A message that was taken, for as long as its lease lasts. */
export interface TakenMessage {
  id: string;
  /** Names the message and the lease: of no use once the lease has ended and another has taken the message. */
  receipt: string;
  route: string;
  body: Uint8Array<ArrayBuffer>;
  /** How often it was taken before. */
  retried: number;
  traceparent: string | null;
}

/** A message as a statement with `takingText` returns it. */
export type TakenRow = Omit<TakenMessage, "receipt" | "body"> & { body: Buffer };

export const takingParameters = {
  countMax: "integer",
  messageLeaseMs: "integer",
  leaseId: "uuid",
  ids: "bigint[]",
  leaseIds: "uuid[]",
} as const;

/** Batches are left where they are while ingestion is paused. */
const openRoutes = `(select route from (values ('instagram-ingestion'), ('handlers'), ('maintenance')) r (route)
  where route <> 'instagram-ingestion' or not exists (select from relay.queue_pause)) r`;

/**
 * The parts of a statement that takes messages; `condition` is evaluated once. From the index's beginning for each route, so
 * that neither messages that are not due nor those of another route are read. What others hold is passed over: as many as
 * their drains work on.
 */
export const takingText = (condition: string) => `found as materialized (
    select m.id from ${openRoutes} cross join lateral (
      select id, due_at from relay.queue_messages q
      where q.route = r.route and due_at <= now() and (leased_until is null or leased_until <= now())
      order by due_at limit :countMax for update skip locked
    ) m where ${condition} order by m.due_at limit :countMax
  ),
  taken as (
    update relay.queue_messages q
    set leased_until = now() + :messageLeaseMs * interval '1 millisecond', lease_id = :leaseId,
      takings = least(takings + 1, 32767)
    from found where q.id = found.id
    returning q.id::text as id, q.route, q.body, q.takings - 1 as retried, q.traceparent
  )`;

/** In how many milliseconds the next message is due that no drain holds; null without one. */
export const nextDueText = `select extract(epoch from min(m.due_at) - now())::float8 * 1000 from ${openRoutes}
  cross join lateral (select due_at from relay.queue_messages q where q.route = r.route and leased_until is null
    order by due_at limit 1) m`;

const take = defineStatement(
  `with removed as (${removeText}), ${takingText("true")} select * from taken`,
  takingParameters,
);

export interface Taking {
  countMax: number;
  leaseMs: number;
  /** Receipts of messages that are dealt with: they are deleted by the same statement, unless another has taken them since. */
  dealtWith?: readonly string[];
}

/**
 * Takes messages that are due and that no drain holds, the longest due first. If the answer is lost, they come again when the
 * lease ends. Throws `STORE_UNAVAILABLE`.
 */
export async function takeMessages(
  db: Database,
  { countMax, leaseMs, dealtWith = [] }: Taking,
): Promise<TakenMessage[]> {
  const leaseId = randomUUID();
  const values = { countMax, messageLeaseMs: Math.ceil(leaseMs), leaseId, ...partsOfAll(dealtWith) };
  const rows = await withStoreErrors(() => runStatement<TakenRow, keyof typeof values>(db.$client, take, values));
  return rows.map((row) => toTaken(row, leaseId));
}

/** `leaseId`: of the statement that has taken it. */
export function toTaken({ id, route, body, retried, traceparent }: TakenRow, leaseId: string): TakenMessage {
  return { id, route, retried, traceparent, body: new Uint8Array(body), receipt: `${id}.${leaseId}` };
}
