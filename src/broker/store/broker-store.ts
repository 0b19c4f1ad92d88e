import type { Pool } from "pg";

import { inTransaction } from "./database.ts";
import { claimDeduplicationIds } from "./deduplication.ts";
import type { Message } from "../message.ts";
import {
  type Connection,
  eventColumns,
  type Inserted,
  insertMessage,
  messageColumns,
  type NewMessage,
} from "./message-rows.ts";
import { recordSettlement, type Settlement } from "./settlement.ts";

export interface Acceptance {
  messageId: string;
  deduplicated: boolean;
  /** The message's place in the order of acceptance; null for a duplicate. */
  sequence: number | null;
}

/** So many messages of a lane. */
export interface Claim {
  lane: string;
  quota: number;
}

export interface NextDue {
  lane: string;
  dueAtMs: number;
}

/** The queue in Postgres: what it accepted is committed, and a message is claimed by one delivery at a time. */
export interface BrokerStore {
  /** Accepts all or none; resolves after the commit, in the order given. */
  accept(messages: readonly NewMessage[]): Promise<Acceptance[]>;
  /** Accepts a message as active, so that no other dispatcher claims it. */
  acceptActive(message: NewMessage): Promise<Acceptance>;
  /** Marks due messages of these lanes as active, in each lane the longest due first. */
  claimDue(nowMs: number, claims: readonly Claim[]): Promise<Message[]>;
  /** The same for a lane in a queue, of which so many messages have their turn at once. */
  claimTurn(nowMs: number, claim: Claim, queue: { name: string; parallelism: number }): Promise<Message[]>;
  /** When the first waiting message of each lane is due. */
  readFirstDue(): Promise<NextDue[]>;
  /** When the first message of each of these lanes is due that was not yet due at `nowMs`. */
  readNextDue(nowMs: number, lanes: readonly string[]): Promise<NextDue[]>;
  /** Ends an active message's attempt; `false` if the message was cancelled in the meantime. */
  settle(settlement: Settlement): Promise<boolean>;
  /** Makes active messages due again, except those whose delivery is running. */
  releaseActive(exceptMessageIds: readonly string[]): Promise<number>;
  /** Drops what is no longer needed, so that the database does not grow for ever. */
  prune(nowMs: number): Promise<void>;
}

const dayMs = 86_400_000;
const eventRetentionMs = 3 * dayMs;
const eventsMax = 100_000;
/** As on QStash's pay-as-you-go plan. */
const deadLetterRetentionMs = 7 * dayMs;

/** The statements by which messages are claimed, settled and released. */
export function createBrokerStore(pool: Pool): BrokerStore {
  return {
    accept: async (messages) => {
      const [only] = messages;
      if (only && messages.length === 1) return [toAcceptance(only, await insertMessage(pool, only))];
      return inTransaction(pool, (connection) => acceptAll(connection, messages));
    },

    acceptActive: async (message) => toAcceptance(message, await insertMessage(pool, message, { isActive: true })),

    async claimDue(nowMs, claims) {
      const [only] = claims;
      const query =
        only && claims.length === 1
          ? { name: "claim-lane", text: claimLaneSql, values: [nowMs, only.lane, only.quota] }
          : {
              name: "claim-lanes",
              text: claimLanesSql,
              values: [nowMs, claims.map(({ lane }) => lane), claims.map(({ quota }) => quota)],
            };
      return (await pool.query<Message>(query)).rows;
    },

    async claimTurn(nowMs, { lane, quota }, queue) {
      const values = [nowMs, lane, quota, queue.name, queue.parallelism];
      return (await pool.query<Message>({ name: "claim-turn", text: claimTurnSql, values })).rows;
    },

    async readFirstDue() {
      const text = `select lane, min(due_at_ms) as "dueAtMs" from messages where state = 'waiting' group by lane`;
      return (await pool.query<NextDue>(text)).rows;
    },

    async readNextDue(nowMs, lanes) {
      const text = `select lane, next.due_at_ms as "dueAtMs" from unnest($2::text[]) as wanted (lane) cross join lateral (
          select due_at_ms from messages where state = 'waiting' and lane = wanted.lane and due_at_ms > $1::bigint
          order by due_at_ms limit 1
        ) as next`;
      return (await pool.query<NextDue>({ name: "next-due", text, values: [nowMs, lanes] })).rows;
    },

    settle: (settlement) =>
      settlement.callbacks.length === 0
        ? recordSettlement(pool, settlement)
        : inTransaction(pool, (connection) => recordSettlement(connection, settlement)),

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
  const duplicates = await claimDeduplicationIds(connection, messages);
  const acceptances: Acceptance[] = [];
  for (const message of messages) {
    const holder = duplicates.get(message);
    const inserted =
      holder === undefined
        ? await insertMessage(connection, { ...message, deduplicationId: null })
        : { holder, sequence: null };
    acceptances.push(toAcceptance(message, inserted));
  }
  return acceptances;
}

function toAcceptance({ messageId }: NewMessage, { holder, sequence }: Inserted): Acceptance {
  return { messageId: holder ?? messageId, deduplicated: holder !== null, sequence };
}

/**
 * Only messages whose turn it is: the first `$5` lines of queue `$4`. A line is a message with its callbacks, and one that
 * waits for a retry keeps its place; one that is delayed takes its place when it is due.
 */
const hasTurn = `and coalesce(line, sequence) in (
  select distinct coalesce(line, sequence) as turn from messages
  where queue_name = $4::text and (queue_name is not null or flow_control_key is not null) and state <> 'dead'
    and (due_at_ms <= $1::bigint or state = 'active' or retried > 0 or line is not null)
  order by turn limit $5::integer)`;

function selectDue(lane: string, quota: string, condition = ""): string {
  return `
    select sequence from messages
    where state = 'waiting' and lane = ${lane} and due_at_ms <= $1::bigint ${condition}
    order by due_at_ms, sequence limit ${quota} for update skip locked`;
}

function claimSqlFor(due: string): string {
  return `
  with due as (${due}), claimed as (
    update messages set state = 'active' where sequence = any(array(select sequence from due)) returning *
  ), logged as (
    insert into events (at_ms, state, ${eventColumns})
    select $1::bigint, 'ACTIVE', ${eventColumns} from claimed order by due_at_ms, sequence
  )
  select ${messageColumns} from claimed order by due_at_ms, sequence`;
}

const claimLaneSql = claimSqlFor(selectDue("$2::text", "$3::integer"));
const claimTurnSql = claimSqlFor(selectDue("$2::text", "$3::integer", hasTurn));
const claimLanesSql = claimSqlFor(
  `select one.sequence from unnest($2::text[], $3::integer[]) as wanted (lane, quota)
   cross join lateral (${selectDue("wanted.lane", "wanted.quota")}) as one`,
);
