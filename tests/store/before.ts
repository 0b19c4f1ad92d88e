/** Databases as the release before the schema `relay` left them. */
import { Client } from "pg";
import { onTestFinished } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";

import { openDatabaseBefore } from "../bench/before/database.ts";
import { type BatchBefore, ingestBefore } from "../bench/before/ingest-before.ts";
import type { BeforeHandler } from "../bench/before/run-event-handler.ts";
import { createMigratedDatabase } from "../support/postgres.ts";
import { testEvent } from "../support/store.ts";

/** A database with the old tables, empty, and a connection to it. */
export async function openBefore(): Promise<{ url: string; client: Client }> {
  const { url, drop } = await createMigratedDatabase("before");
  onTestFinished(drop);
  return { url, client: await connectTo(url) };
}

export async function connectTo(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** An instance of the release before. */
export interface InstanceBefore {
  ingest(
    id: string,
    events: InstagramEvent[],
    handler?: BeforeHandler,
    batch?: readonly [number, number],
  ): Promise<unknown>;
}

export function startInstanceBefore(url: string): InstanceBefore {
  const { db, close } = openDatabaseBefore(url);
  onTestFinished(close);
  return {
    ingest: (id, events, handler = () => {}, batch = [0, 1]) =>
      ingestBefore(
        { delivery: { ...facts, id, batch }, events },
        { db, clock: systemClock, handlerTimeoutMs: 5_000, handler },
      ),
  };
}

const facts: Omit<BatchBefore["delivery"], "id" | "batch"> = {
  runtime: "edge",
  region: "fra1",
  coldStart: false,
  receivedAtMs: 1_700_000_001_000,
  bodyBytes: 100,
  probe: false,
};

/** Events whose keys begin with `prefix`. */
export function eventsOf(prefix: string, count: number): InstagramEvent[] {
  return Array.from({ length: count }, (_, index) => testEvent(`${prefix}-${index}`));
}

/**
 * So many events of one delivery each, written by one statement: most are handled, every fiftieth is open, and every
 * hundredth has failed; every seventieth is erased. Every tenth delivery also carried the event of the one before it.
 */
export async function fillBefore(client: Client, count: number): Promise<void> {
  await client.query(
    `insert into events (key, kind, account_id, sender_id, recipient_id, occurred_at, sent_at, standby, test, data, delivery_id,
       delivered_at, ingested_at, handled_at, handler_attempts, handler_error, erased_at)
     select 'message:1:old-' || i, 'message', '1', case when i % 70 > 0 then 'user-' || i % 1000 end, '1',
       timestamptz '2026-01-01' + i * interval '1 second', timestamptz '2026-01-01' + i * interval '1 second', false, i % 9 = 0,
       case when i % 70 = 0 then '{"erased":"data-deletion"}'
         else format('{"sender":{"id":"user-%s"},"message":{"mid":"old-%s","text":"%s"}}', i % 1000, i, repeat('words ', 30)) end::json,
       md5('delivery-' || i)::uuid::text,
       timestamptz '2026-01-01' + i * interval '1 second', timestamptz '2026-01-01' + i * interval '1 second',
       case when i % 50 > 0 then timestamptz '2026-01-01' + (i + 1) * interval '1 second' end,
       case when i % 100 = 0 then 12 when i % 50 = 0 then 0 else 1 end, case when i % 100 = 0 then 'TypeError' end,
       case when i % 70 = 0 then timestamptz '2026-02-01' end
     from generate_series(1, $1::int) i`,
    [count],
  );
  await client.query(`insert into deliveries (id, runtime, region, cold_start, probe, received_at, body_bytes, events, outcome,
      ack_ms, publish_ms, published_at, attempts, timeouts, reported_at)
    select delivery_id, 'edge', 'fra1', false, false, delivered_at, 300, 1, 'published', 2.5, 20, delivered_at, 1, 0, delivered_at
    from events`);
  await client.query(`insert into delivery_batches (delivery_id, batch_index, batches, inserted, duplicates, delivered_at,
      ingested_at, ingest_ms, handled_at)
    select delivery_id, 0, 1, 1, case when id % 10 = 0 then 1 else 0 end, delivered_at, ingested_at, 12.5, handled_at from events`);
  await client.query(`insert into delivery_events (delivery_id, event_id)
    select delivery_id, id from events union all select delivery_id, id - 1 from events where id % 10 = 0`);
}
