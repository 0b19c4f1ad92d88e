/** The move from the tables of the release before, when something is in its way. */
import { spawn } from "node:child_process";
import { once } from "node:events";

import type { Client } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";

import { dropOld } from "#cli/migrate-database.ts";
import { systemClock } from "#platform/clock.ts";
import { migrateStore } from "#store/migrate.ts";

import { bundle } from "../support/bundle.ts";
import { eventually } from "../support/eventually.ts";
import { hasPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { connectTo, eventsOf, fillBefore, openBefore, startInstanceBefore } from "./before.ts";
import { findLost } from "./find-lost.ts";
import { startInstance } from "./instance.ts";

/** Ingestion may wait for so long; a lock is given up after 1.5 s. */
const gapMaxMs = 2_000;

/** A migrator in a process of its own. */
async function spawnMigrator(url: string) {
  const script = await bundle(new URL("migrator-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The move is of the past: in the usual run one test of it, and in `.ci/run` all. */
const isFurther = process.env["TEST_MOVES"] === "more";

test("a migrator that is killed in the middle loses nothing, and the next one continues", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 6_000);
  const child = await spawnMigrator(url);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  const { rows } = await client.query("select rows::int from relay_move.parts where name = 'events'");
  expect(rows[0]?.rows).toBeGreaterThan(0);
  expect(rows[0]?.rows).toBeLessThan(6_000);
  await startInstanceBefore(url).ingest("between", eventsOf("between", 3));

  const first: number[] = [];
  await migrateStore(url, { onProgress: (progress) => void first.push(progress.rows) });
  expect(first[0]).toBeGreaterThan(rows[0]?.rows);
  expect(await findLost(client)).toEqual([]);
});

test.runIf(isFurther)("until all rows are there, this release finds no store", async () => {
  const { url, client } = await openBefore();
  const now = startInstance(url);
  await expect(now.ingest("d1", eventsOf("a", 1))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await client.query("create schema relay_next");
  await expect(now.lease([1])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test.runIf(isFurther)("several migrators at once share the work", async () => {
  const { url, client } = await openBefore();
  await fillBefore(client, 5_000);
  await Promise.all([migrateStore(url), migrateStore(url), migrateStore(url)]);
  expect(await findLost(client)).toEqual([]);
  expect((await client.query("select from pg_namespace where nspname = 'relay_next'")).rowCount).toBe(0);
});

test.runIf(isFurther)(
  "a database of an older release is brought up first; a long read delays that and no write",
  async () => {
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
  },
);

test.runIf(isFurther)(
  "a transaction that has written and stays open delays the beginning and no other write",
  async () => {
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
  },
);

test.runIf(isFurther)(
  "roles that could write the old tables can write the new ones, and instances under them continue",
  async () => {
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
  },
);

test.runIf(isFurther && hasPgBouncer)("rows are moved through a pooler in transaction mode", async () => {
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

describe("the old tables", () => {
  async function readTables(client: Client): Promise<string[]> {
    const { rows } = await client.query<{ name: string }>(
      `select nspname || '.' || relname as name from pg_class c join pg_namespace n on n.oid = relnamespace
       where nspname in ('public', 'drizzle', 'relay_move') and relkind in ('r', 'v', 'S') order by 1`,
    );
    return rows.map(({ name }) => name);
  }

  test("are dropped an hour after the last write of the release before, and nothing else is", async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, 10);
    await client.query("create table public.mine (id int)");
    await expect(dropOld(url)).rejects.toThrow(/its rows are not all moved yet/);
    await migrateStore(url);
    await expect(dropOld(url)).rejects.toThrow(/^The old tables could not be dropped \(the release before wrote into/);
    await client.query("update relay_move.parts set moved_at = now() - interval '61 minutes'");
    await client.query("update relay_move.old_writes set at = now() - interval '61 minutes'");
    await startInstanceBefore(url).ingest("late", eventsOf("late", 1));
    await expect(dropOld(url)).rejects.toThrow(/1 hour after its last write/);
    await client.query("update relay_move.old_writes set at = now() - interval '61 minutes'");
    await client.query("create view mine_too as select id from events");
    await expect(dropOld(url)).rejects.toThrow(/view mine_too depends on table events/);
    await client.query("drop view mine_too");

    expect(await dropOld(url)).toBe(true);
    expect(await readTables(client)).toEqual(["public.mine"]);
    expect(await dropOld(url)).toBe(false);
    await migrateStore(url);
    expect((await client.query("select from relay.events")).rowCount).toBe(11);
  });

  test("stay while their rows are being moved, and a move can be given up", async () => {
    const { url, client } = await openBefore();
    await fillBefore(client, 6_000);
    const child = await spawnMigrator(url);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await expect(dropOld(url)).rejects.toThrow(/its rows are not all moved yet/);
    await client.query("drop schema relay_next, relay_move cascade");
    await startInstanceBefore(url).ingest("after", eventsOf("after", 1));
    expect((await client.query("select from pg_trigger where tgname like 'relay%'")).rowCount).toBe(0);
    await migrateStore(url);
    expect(await findLost(client)).toEqual([]);
  });
});
