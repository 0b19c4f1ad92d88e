import type { Pool, PoolClient } from "pg";

import { laneOf } from "../lane.ts";
import type { Publication } from "../message.ts";

/** A publication that got its id and is to be accepted. */
export interface NewMessage extends Publication {
  messageId: string;
  createdAtMs: number;
  /** In a queue: the sequence number whose turn a callback takes. */
  line?: number | null;
}

/** What a pool and a connection in a transaction have in common. */
export type Connection = Pick<Pool | PoolClient, "query">;

/** The columns of a message under the names of its properties. */
export const messageColumns = `sequence, message_id as "messageId", url, method, header, body,
  max_retries as "maxRetries", timeout_ms as "timeoutMs", not_before_ms as "notBeforeMs",
  created_at_ms as "createdAtMs", callback, failure_callback as "failureCallback", labels,
  caller_ip as "callerIp", retried, retry_delay as "retryDelay", flow_control as "flowControl", redact,
  queue_name as "queueName", topic_name as "topicName", endpoint_name as "endpointName",
  schedule_id as "scheduleId", lane, line`;

/** Those of a dead letter. */
export const deadLetterColumns = `${messageColumns}, failed_at_ms as "failedAtMs",
  response_status as "responseStatus", response_header as "responseHeader", response_body as "responseBody", error`;

/** QStash's window, from its page on deduplication. */
export const deduplicationMs = 10 * 60_000;

/** What each event copies from its message, so that the log can be filtered after the message is gone. */
export const eventColumns =
  "message_id, url, method, labels, max_retries, caller_ip, topic_name, endpoint_name, schedule_id, queue_name, flow_control_key";

/** The log shows a body up to this length; a longer one is only in the message and its dead letter. */
const eventBodyBytesMax = 16 * 1024;

/** The id of the message that there is now; null if it is the one that was to be inserted, with its place in the order. */
export type Inserted = { holder: null; sequence: number } | { holder: string; sequence: null };

/**
 * Inserts a message and its CREATED event in one statement, and so in one round trip and one commit. With a deduplication
 * id that another message holds it inserts nothing. `isActive`: its delivery begins as soon as it is committed.
 */
export async function insertMessage(
  connection: Connection,
  message: NewMessage,
  { isActive = false } = {},
): Promise<Inserted> {
  const { rows } = await connection.query<Inserted>({
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
      message.retryDelay ?? null,
      message.flowControl,
      message.redact,
      message.queueName,
      message.topicName,
      message.endpointName,
      message.scheduleId,
      laneOf(message),
      message.line ?? null,
      message.deduplicationId,
      message.createdAtMs + deduplicationMs,
      isActive ? "active" : "waiting",
    ],
  });
  const [inserted] = rows;
  if (inserted === undefined) throw new Error("Postgres answered an insert with no row");
  return inserted;
}

/** An id that is held and not yet out of its window keeps its holder; the update that changes nothing returns it. */
const keepHolder = `on conflict (deduplication_id) do update set
  message_id = case when held.expires_at_ms <= $9::bigint then excluded.message_id else held.message_id end,
  expires_at_ms = case when held.expires_at_ms <= $9::bigint then excluded.expires_at_ms else held.expires_at_ms end`;

const insertMessageSql = `
  with claimed as (
    insert into deduplications as held (deduplication_id, message_id, expires_at_ms)
    select $23::text, $1::text, $24::bigint where $23::text is not null
    ${keepHolder} returning message_id as holder
  ), accepted as (
    insert into messages (message_id, state, due_at_ms, url, method, header, body, max_retries, timeout_ms,
      not_before_ms, created_at_ms, callback, failure_callback, labels, caller_ip, retry_delay, flow_control, redact,
      queue_name, topic_name, endpoint_name, schedule_id, lane, line)
    select $1::text, $25::text, $2::bigint, $3::text, $4::text, $5::json, $6::bytea, $7::integer, $8::bigint,
      $2::bigint, $9::bigint, $10::json, $11::json, $12::text[], $13::text, $14::text, $15::json, $16::text[],
      $17::text, $18::text, $19::text, $20::text, $21::text, $22::bigint
    where not exists (select from claimed where holder <> $1::text)
    returning sequence
  ), logged as (
    -- From the parameters: what the message's row returned would be copied with its body.
    insert into events (at_ms, state, ${eventColumns}, header, body, timeout_ms, callback, failure_callback,
      retry_delay, redact, flow_control)
    select $9::bigint, 'CREATED', $1::text, $3::text, $4::text, $12::text[], $7::integer, $13::text, $18::text,
      $19::text, $20::text, $17::text, $15::json ->> 'key', $5::json,
      case when octet_length($6::bytea) <= ${eventBodyBytesMax} then $6::bytea end, $8::bigint, $10::json, $11::json,
      $14::text, $16::text[], $15::json
    from accepted
    union all
    select $9::bigint, 'ACTIVE', $1::text, $3::text, $4::text, $12::text[], $7::integer, $13::text, $18::text,
      $19::text, $20::text, $17::text, $15::json ->> 'key', null, null, null, null, null, null, null, null
    from accepted where $25::text = 'active'
  )
  select case when sequence is null then (select holder from claimed) end as holder, sequence
  from (select (select sequence from accepted) as sequence) message`;
