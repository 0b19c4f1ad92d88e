import type { Pool } from "pg";

import { inTransaction } from "./database.ts";
import type { HeaderMap, Message } from "./message.ts";
import { type Connection, insertMessage, messageColumns, type NewMessage } from "./message-rows.ts";

/** What one attempt brought: a response, or the reason why there was none. */
export interface Attempt {
  response: { status: number; header: HeaderMap; body: Uint8Array } | null;
  error: string | null;
}

/** What becomes of a message after an attempt. */
export type Verdict = { state: "delivered" } | { state: "waiting"; dueAtMs: number } | { state: "dead" };

export interface Settlement {
  message: Message;
  attempt: Attempt;
  verdict: Verdict;
  atMs: number;
  /** Messages that exist because of this attempt; they are accepted together with the verdict or not at all. */
  callbacks: readonly NewMessage[];
}

interface Acceptance {
  messageId: string;
  deduplicated: boolean;
}

/** The queue in Postgres: what it accepted is committed, and a message is claimed by one delivery at a time. */
export interface BrokerStore {
  /** Accepts all or none; resolves after the commit, in the order given. */
  accept(messages: readonly NewMessage[]): Promise<Acceptance[]>;
  /** Marks up to `limit` due messages as active, the longest due first. */
  claimDue(nowMs: number, limit: number): Promise<Message[]>;
  /** When the next waiting message is due. */
  readNextDueAtMs(): Promise<number | undefined>;
  /** Ends an active message's attempt; `false` if the message was cancelled in the meantime. */
  settle(settlement: Settlement): Promise<boolean>;
  /** Makes active messages due again, except those whose delivery is running. */
  releaseActive(exceptMessageIds: readonly string[]): Promise<number>;
  /** Drops what nobody needs any more, so that the database does not grow for ever. */
  prune(nowMs: number): Promise<void>;
}

const dayMs = 86_400_000;
const eventRetentionMs = 3 * dayMs;
const eventsMax = 100_000;
/** As on QStash's pay-as-you-go plan. */
const deadLetterRetentionMs = 7 * dayMs;
/** An event shows how a response began; the whole of it is in the dead letter. */
const eventResponseBytesMax = 4096;

export function createBrokerStore(pool: Pool): BrokerStore {
  return {
    accept: (messages) =>
      messages.length === 1
        ? acceptAll(pool, messages)
        : inTransaction(pool, (connection) => acceptAll(connection, messages)),

    async claimDue(nowMs, limit) {
      const { rows } = await pool.query<Message>({ name: "claim-due", text: claimSql, values: [nowMs, limit] });
      return rows;
    },

    async readNextDueAtMs() {
      const { rows } = await pool.query<{ dueAtMs: number }>(
        `select due_at_ms as "dueAtMs" from messages where state = 'waiting' order by due_at_ms, sequence limit 1`,
      );
      return rows[0]?.dueAtMs;
    },

    settle: (settlement) =>
      settlement.callbacks.length === 0
        ? settleOne(pool, settlement)
        : inTransaction(pool, async (connection) => {
            const settled = await settleOne(connection, settlement);
            if (settled) await acceptAll(connection, settlement.callbacks);
            return settled;
          }),

    async releaseActive(exceptMessageIds) {
      const { rowCount } = await pool.query(
        "update messages set state = 'waiting' where state = 'active' and message_id <> all($1::text[])",
        [exceptMessageIds],
      );
      return rowCount ?? 0;
    },

    async prune(nowMs) {
      await pool.query("delete from deduplications where expires_at_ms <= $1", [nowMs]);
      await pool.query("delete from events where at_ms < $1 or id <= (select max(id) from events) - $2::bigint", [
        nowMs - eventRetentionMs,
        eventsMax,
      ]);
      await pool.query("delete from messages where state = 'dead' and failed_at_ms < $1", [
        nowMs - deadLetterRetentionMs,
      ]);
    },
  };
}

async function acceptAll(connection: Connection, messages: readonly NewMessage[]): Promise<Acceptance[]> {
  const acceptances: Acceptance[] = [];
  for (const message of messages) acceptances.push(await acceptOne(connection, message));
  return acceptances;
}

async function acceptOne(connection: Connection, message: NewMessage): Promise<Acceptance> {
  if (await insertMessage(connection, message)) return { messageId: message.messageId, deduplicated: false };
  const { rows } = await connection.query<{ messageId: string }>(
    `select message_id as "messageId" from deduplications where deduplication_id = $1`,
    [message.deduplicationId],
  );
  return { messageId: rows[0]?.messageId ?? message.messageId, deduplicated: true };
}

const claimSql = `
  with due as (
    select sequence from messages where state = 'waiting' and due_at_ms <= $1::bigint
    order by due_at_ms, sequence limit $2::integer for update skip locked
  ), claimed as (
    update messages set state = 'active' where sequence in (select sequence from due) returning *
  ), logged as (
    insert into events (at_ms, message_id, state, url, method, labels, max_retries, caller_ip)
    select $1::bigint, message_id, 'ACTIVE', url, method, labels, max_retries, caller_ip from claimed
    order by due_at_ms, sequence
  )
  select ${messageColumns} from claimed order by due_at_ms, sequence`;

/** One statement for the message and its events: they cannot disagree, and a cancelled message gets neither. */
async function settleOne(connection: Connection, settlement: Settlement): Promise<boolean> {
  const { message, attempt, verdict, atMs } = settlement;
  const { response } = attempt;
  const { rowCount } = await connection.query({
    name: `settle-${verdict.state}`,
    text: settleSql[verdict.state],
    values: [
      message.messageId,
      atMs,
      verdict.state === "waiting" ? verdict.dueAtMs : null,
      response?.status ?? null,
      response?.header ?? null,
      response?.body ?? null,
      attempt.error,
    ],
  });
  return (rowCount ?? 0) > 0;
}

const settleSql: Readonly<Record<Verdict["state"], string>> = {
  delivered: settleSqlFor("delete from messages where message_id = $1 and state = 'active'", ["DELIVERED"]),
  waiting: settleSqlFor(
    `update messages set state = 'waiting', retried = retried + 1, due_at_ms = $3::bigint
     where message_id = $1 and state = 'active'`,
    ["ERROR", "RETRY"],
  ),
  dead: settleSqlFor(
    `update messages set state = 'dead', failed_at_ms = $2::bigint, response_status = $4::integer,
       response_header = $5::json, response_body = $6::bytea
     where message_id = $1 and state = 'active'`,
    ["ERROR", "FAILED"],
  ),
};

function settleSqlFor(change: string, states: readonly string[]): string {
  const steps = states.map((state, index) => `('${state}', ${index})`).join(", ");
  return `
    with settled as (${change} returning *)
    insert into events (at_ms, message_id, state, url, method, labels, max_retries, caller_ip, error,
      next_delivery_at_ms, response_status, response_header, response_body)
    select $2::bigint, message_id, step.state, url, method, labels, max_retries, caller_ip, $7::text,
      $3::bigint, $4::integer, $5::json, substring($6::bytea from 1 for ${eventResponseBytesMax})
    from settled, (values ${steps}) as step (state, position) order by position`;
}
