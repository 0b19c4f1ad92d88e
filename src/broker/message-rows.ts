import type { PoolClient, Pool } from "pg";

import type { Publication } from "./message.ts";

/** A publication that got its id and is to be accepted. */
export interface NewMessage extends Publication {
  messageId: string;
  createdAtMs: number;
}

/** What a pool and a connection in a transaction have in common. */
export type Connection = Pick<Pool | PoolClient, "query">;

/** QStash's window, from its page on deduplication. */
const deduplicationMs = 10 * 60_000;

/** The columns of a message under the names of its properties. */
export const messageColumns = `sequence, message_id as "messageId", url, method, header, body,
  max_retries as "maxRetries", timeout_ms as "timeoutMs", not_before_ms as "notBeforeMs",
  created_at_ms as "createdAtMs", callback, failure_callback as "failureCallback", labels,
  caller_ip as "callerIp", retried`;

/** Those of a dead letter. */
export const deadLetterColumns = `${messageColumns}, failed_at_ms as "failedAtMs",
  response_status as "responseStatus", response_header as "responseHeader", response_body as "responseBody"`;

/**
 * Inserts a message and its CREATED event in one statement, and so in one round trip and one commit. Resolves with
 * `false` and inserts nothing if a message with the same deduplication id came within the window.
 */
export async function insertMessage(connection: Connection, message: NewMessage): Promise<boolean> {
  const { rowCount } = await connection.query({
    name: "insert-message",
    text: insertMessageSql,
    values: [
      message.messageId,
      message.notBeforeMs,
      message.url,
      message.method,
      message.header,
      message.body,
      message.maxRetries,
      message.timeoutMs,
      message.createdAtMs,
      message.callback,
      message.failureCallback,
      message.labels,
      message.callerIp,
      message.deduplicationId,
      message.createdAtMs + deduplicationMs,
    ],
  });
  return rowCount === 1;
}

const insertMessageSql = `
  with fresh as (
    insert into deduplications (deduplication_id, message_id, expires_at_ms)
    select $14::text, $1::text, $15::bigint where $14::text is not null
    on conflict (deduplication_id) do update
      set message_id = excluded.message_id, expires_at_ms = excluded.expires_at_ms
      where deduplications.expires_at_ms <= $9::bigint
    returning message_id
  ), accepted as (
    insert into messages (message_id, state, due_at_ms, url, method, header, body, max_retries, timeout_ms,
      not_before_ms, created_at_ms, callback, failure_callback, labels, caller_ip)
    select $1::text, 'waiting', $2::bigint, $3::text, $4::text, $5::json, $6::bytea, $7::integer, $8::bigint,
      $2::bigint, $9::bigint, $10::json, $11::json, $12::text[], $13::text
    where $14::text is null or exists (select from fresh)
    returning *
  )
  insert into events (at_ms, message_id, state, url, method, labels, max_retries, caller_ip)
  select created_at_ms, message_id, 'CREATED', url, method, labels, max_retries, caller_ip from accepted`;
