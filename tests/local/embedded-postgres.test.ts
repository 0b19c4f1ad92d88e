import { existsSync, mkdtempSync, chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "#local/embedded-postgres.ts";
import { CliFailure } from "#platform/failure.ts";
import { isAlive } from "#local/processes.ts";
import { migrateStore } from "#store/migrate.ts";

import { createTestDatabase } from "../support/postgres.ts";

describe("openEmbeddedPostgres", () => {
  const relay = { name: "relay", password: "the role's: with / signs" };
  let folder: string;
  let dataDir: string;
  const opened: EmbeddedPostgres[] = [];

  const open = async (password = "a password: with / signs") => {
    const postgres = await openEmbeddedPostgres({ dataDir, password, durable: false });
    opened.push(postgres);
    return postgres;
  };

  beforeEach(() => {
    // Named so that the next run cleans up after one that was killed here.
    folder = mkdtempSync(join(tmpdir(), `relay-tests-${process.pid}-`));
    chmodSync(folder, 0o711);
    dataDir = join(folder, "postgres");
  });

  afterEach(async () => {
    // Servers of one test share the folder: the data is deleted when none of them runs.
    for (const postgres of opened) await postgres.stop();
    for (const postgres of opened.splice(0)) await postgres.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  test("keeps its data until the next start, and stops", async () => {
    const first = await open();
    await first.openOwned(relay);
    const url = await first.openOwned(relay);
    await query(url, "create table kept as select 1 as n");
    await first.stop();
    await first.exited;
    expect(isAlive(first.pid)).toBe(false);

    const second = await open();
    expect(await query(await second.openOwned(relay), "select n from kept")).toEqual([{ n: 1 }]);
  });

  test("the role of a database may do everything in it and nothing outside of it", async () => {
    const postgres = await open();
    const url = await postgres.openOwned(relay);
    const other = new URL(await postgres.openOwned({ name: "broker", password: "another" }));
    await migrateStore(url);
    await query(url, "create schema mine; create table mine.t (n int); drop schema mine cascade");

    const forbidden = [
      "create role intruder",
      "create database another",
      "select rolpassword from pg_authid",
      "copy (select 1) to program 'true'",
      "select pg_read_file('postgresql.conf')",
      "alter role relay superuser",
      "set role broker",
    ];
    for (const statement of forbidden) {
      await expect(query(url, statement), statement).rejects.toMatchObject({ code: "42501" });
    }
    for (const database of ["broker", "postgres", "template1"]) {
      const elsewhere = new URL(url);
      elsewhere.pathname = `/${database}`;
      await expect(query(elsewhere.href, "select 1"), database).rejects.toMatchObject({ code: "42501" });
    }
    expect(other.username).toBe("broker");
    // A secret that was changed counts from the next start on.
    const changed = await postgres.openOwned({ name: "relay", password: "new" });
    expect(await query(changed, "select 1 as n")).toEqual([{ n: 1 }]);
    await expect(query(url, "select 1")).rejects.toMatchObject({ code: "28P01" });
  });

  test("objects that the superuser created in an older data folder get the role as their owner", async () => {
    const postgres = await open();
    await query(postgres.url("postgres"), "create database relay");
    await migrateStore(postgres.url("relay"));
    await query(
      postgres.url("relay"),
      `create type mood as enum ('good'); create sequence counter; create view seen as select 1 as n;
       create table parted (n int) partition by list (n); create table parted_1 partition of parted for values in (1);
       create table serials (n serial); create function one() returns int language sql as 'select 1';
       insert into relay.spent_seals values ('kept', now())`,
    );
    const url = await postgres.openOwned(relay);
    await migrateStore(url);
    const owned = `select distinct rolname from pg_roles join (
        select relowner as owner from pg_class join pg_namespace n on n.oid = relnamespace
          where nspname !~ '^pg_' and nspname <> 'information_schema'
        union select nspowner from pg_namespace where nspname = 'relay'
        union select typowner from pg_type where typname = 'mood'
        union select proowner from pg_proc where proname = 'one') on owner = pg_roles.oid`;
    expect(await query(url, owned)).toEqual([{ rolname: "relay" }]);
    await query(url, "drop table relay.events cascade; drop type mood; drop sequence counter; drop function one()");
    expect(await query(url, "select id from relay.spent_seals")).toEqual([{ id: "kept" }]);
  });

  test("stops a server that was left running on the folder, and ignores a number in postmaster.pid that belongs to another program now", async () => {
    const left = await open();
    const next = await open();
    expect(isAlive(left.pid)).toBe(false);
    expect(await query(next.url("postgres"), "select 1 as n")).toEqual([{ n: 1 }]);

    await next.stop();
    writeFileSync(join(dataDir, "postmaster.pid"), `${process.pid}\n${dataDir}\n`);
    await open();
    expect(isAlive(process.pid)).toBe(true);
  });

  test("refuses a client with another password, and a start with one in one sentence, which leaves no process running", async () => {
    const postgres = await open();
    const url = new URL(postgres.url("postgres"));
    url.password = "wrong";
    await expect(query(url.href, "select 1")).rejects.toMatchObject({ code: "28P01" });
    await postgres.stop();
    await expect(open("another")).rejects.toThrow(CliFailure);
    expect(existsSync(join(dataDir, "postmaster.pid"))).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "as root, puts the data where its user can reach it, and forgets it with the folder",
    async () => {
      chmodSync(folder, 0o700);
      const first = await open();
      await first.openOwned(relay);
      const { folder: elsewhere } = JSON.parse(readFileSync(`${dataDir}.location.json`, "utf8")) as { folder: string };
      expect(existsSync(dataDir)).toBe(false);
      expect(existsSync(join(elsewhere, "PG_VERSION"))).toBe(true);
      await first.stop();

      const again = await open();
      expect(await query(again.url("relay"), "select 1 as n")).toEqual([{ n: 1 }]);
      await again.stop();
      rmSync(`${dataDir}.location.json`);
      const afresh = await open();
      await expect(query(afresh.url("relay"), "select 1")).rejects.toMatchObject({ code: "3D000" });
      rmSync(elsewhere, { recursive: true });
    },
  );
});

test("createTestDatabase makes separate databases", async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase({ prefix: "named" })]);
  await query(one.url, "create table only_here (n int)");
  await expect(query(other.url, "select * from only_here")).rejects.toMatchObject({ code: "42P01" });
  await Promise.all([one.drop(), other.drop()]);
  await expect(query(one.url, "select 1")).rejects.toMatchObject({ code: "3D000" });
});

async function query(connectionString: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(statement)).rows as unknown[];
  } finally {
    await client.end().catch(() => {});
  }
}
