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
