/** The move from the tables of the release before, while instances of it continue to work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { Client } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";

import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/database.ts";
import { leaseEvents } from "#store/lease-events.ts";
import { migrateStore } from "#store/migrate.ts";
import { settleEvents } from "#store/settle-events.ts";
import { storeBatch } from "#store/store-batch.ts";

import { eventually } from "../support/eventually.ts";
import { hasPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { connectTo, eventsOf, fillBefore, openBefore, startInstanceBefore } from "./before.ts";

/** What the issue allows; the move itself gives up a lock after 1.5 s. */
const gapMaxMs = 2_000;

/** TEST_MIGRATED_EVENTS=1000000 makes the first test a measurement, which prints its figures. */
const isMeasured = process.env["TEST_MIGRATED_EVENTS"] !== undefined;
const movedEvents = Number(process.env["TEST_MIGRATED_EVENTS"] ?? 3_000);
const testLimitMs = isMeasured ? 3_600_000 : 30_000;

/** An instance of this release, whose handlers succeed. Resolves with the keys that it handled. */
function startInstance(url: string) {
  const { db, close } = openDatabase(url);
  onTestFinished(close);
  const settle = (leased: Awaited<ReturnType<typeof storeBatch>>["leased"]) =>
    settleEvents(db, {
      results: leased.map((event) => ({ event, atMs: systemClock.nowMs(), ms: 1, outcome: "handled" })),
      counts: new Map(),
      deployment: null,
      messageId: null,
    });
  return {
    async ingest(id: string, events: InstagramEvent[]): Promise<string[]> {
      const { leased } = await storeBatch(db, {
        delivery: { ...facts, id },
        via: "queue",
        batch: [0, 1],
        events: events.map((event) => ({ ...event, ...findEventDrift(event) })),
        delivered: { atMs: systemClock.nowMs(), monotonicMs: systemClock.monotonicMs() },
        leaseMs: 10_000,
        messageId: null,
        retried: 0,
      });
      await settle(leased);
      return leased.map(({ key }) => key);
    },
    async handle(eventIds: number[]): Promise<number> {
      const { leased } = await leaseEvents(db, eventIds, { leaseMs: 10_000 });
      await settle(leased);
      return leased.length;
    },
    lease: (eventIds: number[]) => leaseEvents(db, eventIds, { leaseMs: 10_000 }),
  };
}

const facts = {
  runtime: "edge",
  region: null,
  coldStart: false,
  receivedAtMs: 1_700_000_001_000,
  bodyBytes: 100,
  secretIndex: 0,
  probe: false,
  deployment: null,
  ackMs: null,
  publishStartedAtMs: null,
} as const;

/** Rows of the old tables that are missing or differ in the new ones. */
async function findLost(client: Client): Promise<unknown[]> {
  const { rows } = await client.query(`
    select 'event' as what, o.key as id from public.events o
      left join relay.events e on e.id = o.id and e.key = o.key and e.data::text = o.data::text
        and e.erased_at is not distinct from o.erased_at
      left join relay.event_keys k on k.event_id = o.id
      where e.id is null or k.hash is null
    union all
    select 'work', o.key from public.events o left join relay.event_work w on w.event_id = o.id
      where (o.handled_at is null and o.erased_at is null) <> (w.event_id is not null)
    union all
    select 'delivery', o.id from public.deliveries o left join relay.deliveries d on d.id = relay_move.delivery_uuid(o.id)
      left join public.delivery_batches b on b.delivery_id = o.id and b.batch_index = 0
      where d.id is null or d.ingested_at is distinct from b.ingested_at or d.inserted is distinct from b.inserted
        or d.handled_at is distinct from b.handled_at or d.reported_at is distinct from o.reported_at
    union all
    select 'link', l.delivery_id from public.delivery_events l join public.events o on o.id = l.event_id
      left join relay.deliveries d on d.id = relay_move.delivery_uuid(l.delivery_id)
      left join relay.duplicate_events x on x.event_id = l.event_id and x.delivery_id = d.id
      where case when o.delivery_id = l.delivery_id then l.event_id not between d.first_event_id and d.last_event_id
        else x.event_id is null end`);
  return rows;
}

/** Instances of the release before, ingesting one delivery after another until they are stopped. */
function ingestAsBefore(url: string, streams: number) {
  const handled: string[] = [];
  let isStopped = false;
  let longestGapMs = 0;
  let lastMs = systemClock.monotonicMs();
  let ingested = 0;
  const failures: unknown[] = [];
  const running = Promise.all(
    Array.from({ length: streams }, async (_, stream) => {
      const old = startInstanceBefore(url);
      for (let turn = 0; !isStopped; turn++) {
        const events = eventsOf(`live-${stream}-${turn}`, turn % 5 === 0 ? 20 : 1);
        // Of some deliveries Meta repeats an event that the move may just be copying.
        if (turn % 3 === 0) events.push(...eventsOf("old", turn + 1).slice(-1));
        try {
          await old.ingest(`live-${stream}-${turn}`, events, (event) => {
            handled.push((event as unknown as { key: string }).key);
          });
        } catch (thrown) {
          failures.push(thrown);
        }
        const nowMs = systemClock.monotonicMs();
        longestGapMs = Math.max(longestGapMs, nowMs - lastMs);
        lastMs = nowMs;
        ingested++;
      }
    }),
  );
  return {
    ingested: () => ingested,
    async stop() {
      isStopped = true;
      await running;
      return { handled, failures, longestGapMs, ingested };
    },
  };
}

test(
  "instances of the release before ingest all the time, and nothing is lost or stored twice",
  async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, movedEvents);
    const load = ingestAsBefore(url, 3);
    await eventually("the instances ingest", () => load.ingested() > 20);
    const startedMs = systemClock.monotonicMs();
    await migrateStore(url);
    const tookMs = systemClock.monotonicMs() - startedMs;
    const atSwitch = load.ingested();
    await eventually("they ingest after the move, too", () => load.ingested() > atSwitch + 20);
    const { handled, failures, longestGapMs, ingested } = await load.stop();
    if (isMeasured) console.log({ movedEvents, tookMs, ingested, handled: handled.length, longestGapMs });
    expect(failures).toEqual([]);
    expect(longestGapMs).toBeLessThan(gapMaxMs);
    expect(new Set(handled).size).toBe(handled.length);
    expect(await findLost(client)).toEqual([]);
    const { rows } = await client.query(`select count(*) = count(distinct key) as once,
      count(*) = (select count(*) from relay.event_keys) as keys from relay.events`);
    expect(rows).toEqual([{ once: true, keys: true }]);
  },
  testLimitMs,
);

test("both releases together store and handle each event once", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 200);
  await migrateStore(url);
  const [old, now] = [startInstanceBefore(url), startInstance(url)];
  const handled: string[] = [];
  const note = (event: unknown) => void handled.push((event as { key: string }).key);
  for (let turn = 0; turn < 10; turn++) {
    const events = eventsOf(`both-${turn}`, 3);
    const [, byNow] = await Promise.all([
      // It may wait for the other one, and then QStash delivers again.
      old.ingest(`both-${turn}`, events, note).catch(() => old.ingest(`both-${turn}`, events, note)),
      now.ingest(`both-${turn}`, events),
    ]);
    handled.push(...byNow);
  }
  const { rows: stored } = await client.query("select key from relay.events where key like 'message:1:both%'");
  expect(stored).toHaveLength(30);
  const { rows: open } = await client.query(
    "select event_id from relay.event_work w join relay.events e on e.id = w.event_id where key like 'message:1:both%'",
  );
  expect(open).toEqual([]);
  expect(handled.toSorted()).toEqual(stored.map(({ key }) => key).toSorted());
});

test("an event that the new release leases or has handled is left alone by the release before, and the reverse", async () => {
  const { url, client } = await openBefore();
  const [old, now] = [startInstanceBefore(url), startInstance(url)];
  const fail = () => {
    throw new TypeError("no");
  };
  await old.ingest("d1", eventsOf("a", 2), fail);
  await migrateStore(url);
  const { rows } = await client.query<{ id: number }>("select id::int from relay.events order by id");
  const ids = rows.map(({ id }) => id);
  const [first = 0, second = 0] = ids;

  const { leased } = await now.lease([first]);
  expect(leased).toMatchObject([{ id: first, attempt: 2, conversation: "1:user" }]);
  expect(await old.ingest("d1", eventsOf("a", 2), fail)).toEqual({ handled: 0, failed: 1, unfinished: 1 });
  const { rows: work } = await client.query(
    "select attempts, error_name, leased_until is not null as leased from relay.event_work order by event_id",
  );
  expect(work).toEqual([
    { attempts: 2, error_name: "TypeError", leased: true },
    { attempts: 2, error_name: "TypeError", leased: false },
  ]);

  expect(await now.handle([second])).toBe(1);
  await client.query("update relay.event_work set leased_until = null");
  expect(await old.ingest("d1", eventsOf("a", 2))).toEqual({ handled: 1, failed: 0, unfinished: 0 });
  expect((await client.query("select from relay.event_work")).rowCount).toBe(0);
  expect((await client.query("select from public.events where handled_at is null")).rowCount).toBe(0);
});

test("what the release before writes after the move arrives: reports, erasures, counts, dead letters", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 20);
  await client.query("insert into handler_counts values ('replies', 2)");
  await client.query("insert into data_deletions values ('r1', 'code', 'user-7', '2026-01-01', 0, null)");
  await migrateStore(url);
  await startInstance(url).ingest("new", [{ ...eventsOf("new", 1)[0]!, senderId: "user-7" }]);
  await client.query(`
    insert into deliveries (id, runtime, cold_start, probe, received_at, body_bytes, outcome, ack_ms, reported_at)
      values ('d1', 'edge', false, false, now(), 9, 'lost', 3, now());
    update deliveries set outcome = 'refused' where id = 'd1';
    update events set data = '{"erased":"data-deletion"}', sender_id = null, erased_at = now() where sender_id = 'user-7';
    update data_deletions set erased = 1, completed_at = now(), user_id = null where request_id = 'r1';
    insert into handler_counts values ('replies', 1) on conflict (name) do update set count = handler_counts.count + 1;
    insert into drift values ('message', '$.x', 'unknown', 'string', 1, now(), now(), 3);
    insert into dead_letters values ('dlq-1', 'msg_1', 'd1', 'https://relay.example/x', 503, 5, now());
    insert into refusals (at, runtime, reason, count) values (now(), 'edge', 'SIGNATURE_INVALID', 4);
    insert into spent_seals values ('seal', now());
    insert into deauthorizations values ('r2', 'user-8', null, now())`);
  const { rows } = await client.query(`select
    (select outcome from relay.deliveries where id = relay_move.delivery_uuid('d1')) as outcome,
    (select json_agg(data::text order by id) from relay.events where erased_at > '2026-06-01') as erased,
    (select count(*)::int from relay.events where sender_id = 'user-7') as left,
    (select erased from relay.data_deletions) as "erasedCount",
    (select count(*)::int from relay.erased_people) as people,
    (select json_agg(count) from relay.handler_count_increments) as counts,
    (select count::int from relay.handler_counts) as counted,
    (select count(*)::int from relay.drift_findings) as drift,
    (select json_agg(dlq_id) from relay.dead_letters) as letters,
    (select sum(count)::int from relay.refusals) as refusals,
    (select id from relay.spent_seals) as seal,
    (select user_id from relay.deauthorizations) as "userId"`);
  expect(rows).toEqual([
    {
      outcome: "lost",
      erased: ['{"erased":"data-deletion"}', '{"erased":"data-deletion"}'],
      left: 0,
      erasedCount: 1,
      people: 1,
      counts: [1],
      counted: 2,
      drift: 1,
      letters: ["dlq-1"],
      refusals: 4,
      seal: "seal",
      userId: "user-8",
    },
  ]);
});

/** A migrator in a process of its own. */
function spawnMigrator(url: string) {
  const script = fileURLToPath(new URL("migrator-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("a migrator that is killed in the middle loses nothing, and the next one continues", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 12_000);
  const child = spawnMigrator(url);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  const { rows } = await client.query("select rows::int from relay_move.parts where name = 'events'");
  expect(rows[0]?.rows).toBeGreaterThan(0);
  expect(rows[0]?.rows).toBeLessThan(12_000);
  await startInstanceBefore(url).ingest("between", eventsOf("between", 3));

  const first: number[] = [];
  await migrateStore(url, { onProgress: (progress) => void first.push(progress.rows) });
  expect(first[0]).toBeGreaterThan(rows[0]?.rows);
  expect(await findLost(client)).toEqual([]);
});

test("several migrators at once share the work", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 5_000);
  await Promise.all([migrateStore(url), migrateStore(url), migrateStore(url)]);
  expect(await findLost(client)).toEqual([]);
  expect((await client.query("select from pg_namespace where nspname = 'relay_next'")).rowCount).toBe(0);
});

test("a database of an older release is brought up first; a long read delays that and no write", async () => {
  const { url, client } = await openBefore();
  await client.query(
    "delete from drizzle.__drizzle_migrations where id = 4; alter table events drop column leased_until",
  );
  await client.query("begin; select from public.events");
  const other = await connectTo(url);
  const migrating = migrateStore(url);
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  const isWaiting = async () => (await other.query(waiting)).rowCount === 1;
  await eventually("the migration waits for the lock", isWaiting);
  const startedMs = systemClock.monotonicMs();
  await other.query("insert into handler_counts values ('x', 1)");
  await other.query(
    "insert into events (key, kind, account_id, standby, test, data, delivery_id) values ('k', 'message', '1', false, false, '{}', 'd')",
  );
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(gapMaxMs);
  await client.query("commit");
  await migrating;
  expect((await client.query("select key from relay.events")).rows).toEqual([{ key: "k" }]);
});

test("a transaction that has written and stays open delays the beginning and no other write", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 100);
  await client.query("begin; update public.events set handler_attempts = 3 where id = 1");
  const old = startInstanceBefore(url);
  const migrating = migrateStore(url);
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  const other = await connectTo(url);
  await eventually("the migration waits for the lock", async () => (await other.query(waiting)).rowCount === 1);
  const startedMs = systemClock.monotonicMs();
  await old.ingest("d1", eventsOf("a", 2));
  expect(systemClock.monotonicMs() - startedMs).toBeLessThan(gapMaxMs);
  await client.query("commit");
  await migrating;
  expect(await findLost(client)).toEqual([]);
});

test("roles that could write the old tables can write the new ones, and instances under them continue", async () => {
  const { url, client } = await openBefore();
  const role = `relay_app_${Math.random().toString(36).slice(2)}`;
  await client.query(`create role ${role} login password 'x'; grant usage on schema public, drizzle to ${role};
    grant select, insert, update, delete on all tables in schema public to ${role};
    grant usage, select on all sequences in schema public to ${role}`);
  onTestFinished(async () => void (await client.query(`drop owned by ${role}; drop role ${role}`)));
  const restricted = new URL(url);
  [restricted.username, restricted.password] = [role, "x"];
  const old = startInstanceBefore(restricted.href);
  await old.ingest("d1", eventsOf("a", 2));
  await migrateStore(url);
  await migrateStore(restricted.href);
  await old.ingest("d2", eventsOf("b", 2));
  expect(await startInstance(restricted.href).ingest("d3", eventsOf("c", 2))).toHaveLength(2);
  expect(await findLost(client)).toEqual([]);
});

test.skipIf(!hasPgBouncer)("rows are moved through a pooler in transaction mode", async () => {
  const pooler = await startPgBouncer({ serverUrl: inject("postgresUrl"), poolSize: 1 });
  const { url, client } = await openBefore();
  onTestFinished(() => pooler.stop());
  await fillBefore(client, 1_500);
  await Promise.all([migrateStore(pooler.through(url)), migrateStore(pooler.through(url))]);
  expect(await findLost(client)).toEqual([]);
});

describe("a database that is not of an earlier release", () => {
  test("has tables under the old names, which are not touched", async () => {
    const { url, drop } = await createTestDatabase();
    onTestFinished(drop);
    const client = await connectTo(url);
    await client.query("create table events (id int); insert into events values (1)");
    await migrateStore(url);
    expect((await client.query("select * from public.events")).rows).toEqual([{ id: 1 }]);
    expect((await client.query("select from relay.events")).rowCount).toBe(0);
  });
});
