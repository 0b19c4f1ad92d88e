/** Rows made by SQL, one event per delivery over the last thirty days, as the store has them after ingestion. */
import type { Client } from "pg";

import type { InstagramEvent } from "#instagram/events.ts";
import { eventsPerPartition, ensurePartitions } from "#store/retention/partitions.ts";

const account = "17841400000000001";
/** As long as Meta's ids of messages are, with the part that differs at the end. */
const midStart = "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx";
const keyLength = 117;
const dataBytes = 263;
const keyStart = `message:${account}:${midStart}`;
const tailLength = keyLength - keyStart.length;

const dayMs = 24 * 3_600_000;
const daysOfRows = 30;
const rowsPerStatement = 50_000;
const weekMs = 7 * dayMs;

/** A message with a random key, of the size of the rows made by SQL. Quick: every way that is measured pays for it. */
export function randomEvent(): InstagramEvent {
  const tail = randomHex(tailLength);
  const senderId = `1${Math.floor(Math.random() * 65_536)
    .toString()
    .padStart(15, "0")}`;
  const timestamp = Date.now();
  return {
    key: `${keyStart}${tail}`,
    kind: "message",
    accountId: account,
    senderId,
    recipientId: account,
    occurredAtMs: timestamp,
    sentAtMs: timestamp,
    standby: false,
    test: false,
    data: {
      sender: { id: senderId },
      recipient: { id: account },
      timestamp,
      message: { mid: `${midStart}${tail}`, text: padding },
    },
  };
}

/** What brings the data of an event to `dataBytes`. */
const padding = "x".repeat(dataBytes - 223);

function randomHex(length: number): string {
  let text = "";
  while (text.length < length) text += Math.random().toString(16).slice(2);
  return text.slice(0, length);
}

/** SQL of the common columns for a row number `i` out of `$3`: `i`, `at`, `tail`, `key`, `sender`, `data`. */
const source = (rows: number) => {
  const dataStart = `'{"sender":{"id":"' || sender || '"},"recipient":{"id":"${account}"},"timestamp":' || ms ||
    ',"message":{"mid":"${midStart}' || tail || '","text":"'`;
  return `select i, at, '${keyStart}' || tail as key, sender, (rpad(${dataStart}, ${dataBytes - 3}, 'x') || '"}}')::json as data
    from (select i, at, (extract(epoch from at) * 1000)::bigint as ms,
      '1' || lpad((hashint8(i) & 65535)::text, 15, '0') as sender,
      left(md5(i::text) || md5('tail' || i), ${tailLength}) as tail
      from (select i, now() - interval '${daysOfRows} days' * (1 - i::float8 / ${rows}) as at
        from generate_series($1::bigint, $2::bigint) i) numbered) made`;
};

type Progress = (made: number) => void;

/** The previous release's tables. */
export async function makeRowsBefore(client: Client, rows: number, onProgress: Progress): Promise<void> {
  const text = `with made as materialized (select *, gen_random_uuid()::text as delivery_id from (${source(rows)}) s),
    delivered as (insert into deliveries (id, runtime, cold_start, probe, received_at, body_bytes, events, outcome, ack_ms,
        publish_ms, published_at, attempts, timeouts, reported_at)
      select delivery_id, 'edge', false, false, at, 600, 1, 'published', 2.5, 20.5, at + interval '25 ms', 1, 0,
        at + interval '30 ms' from made),
    batched as (insert into delivery_batches (delivery_id, batch_index, batches, inserted, duplicates, delivered_at,
        ingested_at, ingest_ms, handled_at)
      select delivery_id, 0, 1, 1, 0, at + interval '40 ms', at + interval '45 ms', 4.5, at + interval '50 ms' from made),
    stored as (insert into events (key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, standby, test,
        drifted, data, delivery_id, delivered_at, ingested_at, handled_at, handler_attempts)
      select key, 'message', '${account}', sender, '${account}', at, at, false, false, false, data, delivery_id,
        at + interval '40 ms', at + interval '45 ms', at + interval '50 ms', 1 from made returning id, delivery_id)
    insert into delivery_events (delivery_id, event_id) select delivery_id, id from stored`;
  await makeRows(client, rows, text, onProgress);
}

/** Of today's deliveries one in ten has a report, as by the default of `REPORT_SAMPLE_RATE`. */
export async function makeRowsNow(client: Client, rows: number, onProgress: Progress): Promise<void> {
  const nowMs = Date.now();
  for (let ms = nowMs - daysOfRows * dayMs; ms < nowMs + weekMs; ms += weekMs) await ensurePartitions(client, ms);
  const uuid = `(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || left(md5('v' || i), 3) || '8' ||
    substr(md5('w' || i), 1, 15))::uuid`;
  const reported = (value: string) => `case when i % 10 = 0 then ${value} end`;
  const text = `with made as materialized
      (select *, ${uuid} as delivery_id, nextval('relay.event_ids') as id from (${source(rows)}) s),
    keyed as (insert into relay.event_keys (hash, event_id)
      select encode(substr(sha256(key::bytea), 1, 16), 'hex')::uuid, id from made),
    delivered as (insert into relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime, via, batches,
        retried, inserted, duplicates, ingest_ms, handler_ms, first_event_id, last_event_id, delivered_at, ingested_at,
        handled_at, message_id, ack_ms, publish_started_at, events, outcome, publish_ms, published_at, attempts, timeouts,
        message_ids, reported_at)
      select delivery_id, at, 600, false, false, 'edge', 'queue', 1, 0, 1, 0, 4.5, 0.5, id, id, at + interval '40 ms',
        at + interval '45 ms', at + interval '50 ms', 'msg_' || md5(i::text), 2.5, at + interval '3 ms',
        ${reported("1")}, ${reported("'published'")}, ${reported("20.5")}, ${reported("at + interval '25 ms'")},
        ${reported("1")}, ${reported("0")}, ${reported("array['msg_' || md5(i::text)]")},
        ${reported("at + interval '30 ms'")} from made)
    insert into relay.events (id, ingested_at, occurred_at, sent_at, delivery_id, batch_index, standby, test, drifted, kind,
      account_id, sender_id, recipient_id, key, data)
    select id, at + interval '45 ms', at, at, delivery_id, 0, false, false, false, 'message', '${account}', sender,
      '${account}', key, data from made`;
  const ensureEvery = eventsPerPartition * 4;
  await makeRows(client, rows, text, async (made) => {
    if (made % ensureEvery === 0) await ensurePartitions(client, nowMs);
    onProgress(made);
  });
}

/** The yardstick: the columns of today's events with their indexes, an id and a unique key, and nothing else. */
export async function createBareTable(client: Client): Promise<void> {
  await client.query(`create table bare (id bigint generated always as identity primary key, ingested_at timestamptz(3) not
    null, occurred_at timestamptz(3), sent_at timestamptz(3), erased_at timestamptz(3), delivery_id uuid not null,
    batch_index smallint not null, standby boolean not null, test boolean not null, drifted boolean not null, kind text not
    null, account_id text not null, sender_id text, recipient_id text, key text not null unique, data json not null)`);
  for (const column of ["kind", "account_id", "sender_id"]) await client.query(`create index on bare (${column})`);
  await client.query("create index on bare using brin (ingested_at)");
}

export async function makeRowsBare(client: Client, rows: number, onProgress: Progress): Promise<void> {
  const text = `insert into bare (ingested_at, occurred_at, sent_at, delivery_id, batch_index, standby, test, drifted, kind,
      account_id, sender_id, recipient_id, key, data)
    select at, at, at, gen_random_uuid(), 0, false, false, false, 'message', '${account}', sender, '${account}', key, data
    from (${source(rows)}) s`;
  await makeRows(client, rows, text, onProgress);
}

async function makeRows(
  client: Client,
  rows: number,
  text: string,
  onProgress: (made: number) => void | Promise<void>,
): Promise<void> {
  // What a crash would lose is made again.
  await client.query("set synchronous_commit = off");
  for (let first = 1; first <= rows; first += rowsPerStatement) {
    const last = Math.min(rows, first + rowsPerStatement - 1);
    await client.query(text, [first, last]);
    await onProgress(last);
  }
  await client.query("vacuum analyze");
}

/** A delivery's id of today: the time and random bits. https://www.rfc-editor.org/rfc/rfc9562#section-5.7 */
export function randomDeliveryId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const hex = `${time}7${randomHex(3)}8${randomHex(15)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
