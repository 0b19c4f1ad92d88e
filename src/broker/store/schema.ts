import type { Pool } from "pg";

import { inTransaction } from "./database.ts";

/**
 * Numbered from 1, applied in order, never edited once released. A message is one row from acceptance to delivery;
 * only `state` and its times change on the way, and a dead letter is the same row with the last response.
 */
const migrations: readonly string[] = [
  `create table messages (
     sequence bigint generated always as identity primary key,
     message_id text not null unique,
     state text not null check (state in ('waiting', 'active', 'dead')),
     due_at_ms bigint not null,
     retried integer not null default 0,
     url text not null,
     method text not null,
     header json not null,
     body bytea not null,
     max_retries integer not null,
     timeout_ms bigint,
     not_before_ms bigint not null,
     created_at_ms bigint not null,
     callback json,
     failure_callback json,
     labels text[] not null,
     caller_ip text not null,
     failed_at_ms bigint,
     response_status integer,
     response_header json,
     response_body bytea
   );
   create index messages_due on messages (due_at_ms, sequence) where state = 'waiting';
   create index messages_dead on messages (failed_at_ms, sequence) where state = 'dead';

   -- Rows come and go at the rate of the traffic: vacuum by count, not by share of a table that is almost empty.
   alter table messages set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

   -- Outlives the message it names: a duplicate of a message that failed is a duplicate.
   create table deduplications (
     deduplication_id text primary key,
     message_id text not null,
     expires_at_ms bigint not null
   );

   -- One row for each change of state, without the body, which is in the message as long as anyone can need it.
   create table events (
     id bigint generated always as identity primary key,
     at_ms bigint not null,
     message_id text not null,
     state text not null,
     url text not null,
     method text not null,
     labels text[] not null,
     max_retries integer not null,
     caller_ip text not null,
     error text,
     next_delivery_at_ms bigint,
     response_status integer,
     response_header json,
     response_body bytea
   );
   create index events_message on events (message_id);`,

  `alter table messages
     add column topic_name text,
     add column endpoint_name text,
     add column schedule_id text,
     add column queue_name text,
     add column flow_control json,
     add column flow_control_key text generated always as (flow_control ->> 'key') stored,
     add column retry_delay text,
     add column redact text[] not null default '{}',
     -- The last attempt's error, of a dead letter.
     add column error text,
     add column lane text,
     add column line bigint;
   update messages
     set lane = json_build_array(lower(substring(url from '^[^:]+://(?:[^/?#]*@)?([^/?#]+)')), null, null)::text;
   alter table messages alter column lane set not null;
   drop index messages_due;
   create index messages_due on messages (lane, due_at_ms, sequence) where state = 'waiting';
   -- One for queues and flow-control keys: each further index is weighed at every insert, whether it takes the row or not.
   create index messages_held on messages (queue_name, coalesce(line, sequence))
     where (queue_name is not null or flow_control_key is not null) and state <> 'dead';

   -- What the log shows of the message itself is kept once, with its CREATED event.
   alter table events
     add column topic_name text,
     add column endpoint_name text,
     add column schedule_id text,
     add column queue_name text,
     add column flow_control_key text,
     add column flow_control json,
     add column header json,
     add column body bytea,
     add column timeout_ms bigint,
     add column callback json,
     add column failure_callback json,
     add column retry_delay text,
     add column redact text[];

   create table flow_controls (
     key text primary key,
     parallelism_max integer,
     rate_max integer,
     rate_period_ms bigint not null,
     rate_count integer not null,
     rate_period_start_ms bigint not null,
     is_paused boolean not null,
     is_pinned_parallelism boolean not null,
     is_pinned_rate boolean not null,
     used_at_ms bigint not null
   );

   create table queues (
     name text primary key,
     parallelism integer not null,
     is_paused boolean not null,
     created_at_ms bigint not null,
     updated_at_ms bigint not null
   );

   create table schedules (
     schedule_id text primary key,
     cron text not null,
     destination text not null,
     -- The message to publish each time, as it was asked for.
     template json not null,
     body bytea not null,
     delay_ms bigint not null,
     is_paused boolean not null,
     created_at_ms bigint not null,
     last_at_ms bigint,
     next_at_ms bigint not null,
     last_message_ids text[] not null default '{}'
   );

   create table url_groups (
     name text primary key,
     created_at_ms bigint not null,
     updated_at_ms bigint not null
   );
   create table url_group_endpoints (
     position bigint generated always as identity primary key,
     group_name text not null references url_groups on delete cascade,
     name text,
     url text not null
   );
   -- By a hash: an index entry holds no more than a third of a page.
   create unique index url_group_endpoints_url on url_group_endpoints (group_name, md5(url));

   -- The pair in force after a rotation, and the pair from the environment that it replaces.
   create table signing_keys (
     only_row boolean primary key default true check (only_row),
     given_current text not null,
     given_next text not null,
     current text not null,
     next text not null
   );`,
];

/** Brings the broker's database to the newest schema, one process at a time. Throws what Postgres throws. */
export async function migrate(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtext('broker_migrations'))");
    await client.query(
      `create table if not exists broker_migrations (
         number integer primary key, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ applied: number }>(
      "select coalesce(max(number), 0) as applied from broker_migrations",
    );
    const applied = rows[0]?.applied ?? 0;
    for (const [index, sql] of migrations.entries()) {
      if (index < applied) continue;
      await client.query(sql);
      await client.query("insert into broker_migrations (number) values ($1)", [index + 1]);
    }
  });
}
