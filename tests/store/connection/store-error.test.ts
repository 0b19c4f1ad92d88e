import { createServer } from "node:net";
import { TLSSocket } from "node:tls";

import { sql } from "drizzle-orm";
import { DatabaseError } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";

import { RelayError } from "#platform/errors.ts";
import { openDatabase } from "#store/connection/database.ts";
import { isDataRefused, isStoreUnavailable, withStoreErrors } from "#store/connection/store-error.ts";
import { inTransaction } from "#store/connection/transaction.ts";

import { createAuthority } from "../../diagnostics/certificates.ts";
import { openTestStore } from "../../support/store.ts";
import { listenSwitchably } from "../../support/switchable-listener.ts";

const unavailable = { code: "STORE_UNAVAILABLE", status: 503 };

describe("withStoreErrors()", () => {
  test("recognises an unreachable database, from a query and from a transaction", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => inTransaction(db, (tx) => tx.execute(sql`select 1`)))).rejects.toMatchObject(
      unavailable,
    );
    await close();
  });

  test("recognises a connection that breaks during a query, and the next query gets a new one", async () => {
    const { db } = await openTestStore();
    await expect(
      withStoreErrors(() => db.execute(sql`select pg_terminate_backend(pg_backend_pid())`)),
    ).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).resolves.toBeDefined();
  });

  test("recognises a connection that breaks between two statements of a transaction", async () => {
    const { db } = await openTestStore();
    const broken = withStoreErrors(() =>
      inTransaction(db, async (tx) => {
        const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
        await db.execute(sql`select pg_terminate_backend(${rows[0]?.pid}::int, 5000)`);
        // Unheard, the connection's own error would have ended the process by now.
        await new Promise((resolve) => setImmediate(resolve));
        await tx.execute(sql`select 1`);
      }),
    );
    await expect(broken).rejects.toMatchObject(unavailable);
    await expect(withStoreErrors(() => db.execute(sql`select 1`))).resolves.toBeDefined();
  });

  test("recognises a wrong password, a missing database and a missing table", async () => {
    const { url, db } = await openTestStore();
    const other = (change: (changed: URL) => void) => {
      const changed = new URL(url);
      change(changed);
      return openDatabase(changed.href);
    };
    const wrong = [
      other((changed) => {
        changed.password = "wrong";
      }),
      other((changed) => {
        changed.pathname = "/no_such_database";
      }),
    ];
    for (const database of wrong) {
      await expect(withStoreErrors(() => database.db.execute(sql`select 1`))).rejects.toMatchObject(unavailable);
      await database.close();
    }
    await expect(withStoreErrors(() => db.execute(sql`select 1 from no_such_table`))).rejects.toMatchObject(
      unavailable,
    );
  });

  test("recognises a name that is not resolved and an untrusted certificate, which sslmode=require refuses", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const port = await listenWithTls();
    for (const url of [
      "postgres://u:p@nowhere.invalid/x",
      `postgres://u:p@localhost:${port}/x?sslmode=require`,
      `postgres://u:p@localhost:${port}/x?sslmode=prefer&application_name=x`,
    ]) {
      const { db, close } = openDatabase(url);
      await expect(withStoreErrors(() => db.execute(sql`select 1`))).rejects.toMatchObject(unavailable);
      await expect(withStoreErrors(() => inTransaction(db, () => Promise.resolve()))).rejects.toMatchObject(
        unavailable,
      );
      await close();
    }
    // pg warns of what these modes will mean in its next version.
    expect(warnings).toEqual([]);
  });

  test.each([
    ["EAI_AGAIN"],
    ["ENOTFOUND"],
    ["ECONNRESET"],
    ["ERR_TLS_CERT_ALTNAME_INVALID"],
    ["ERR_SSL_WRONG_VERSION_NUMBER"],
    ["CERT_HAS_EXPIRED"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["SELF_SIGNED_CERT_IN_CHAIN"],
  ])("recognises %s", async (code) => {
    const thrown = Object.assign(new Error("of the system"), { code });
    await expect(withStoreErrors(() => Promise.reject(thrown))).rejects.toMatchObject(unavailable);
  });

  test("rethrows other errors with codes unchanged", async () => {
    const thrown = Object.assign(new TypeError("not a function"), { code: "ERR_INVALID_ARG_TYPE" });
    await expect(withStoreErrors(() => Promise.reject(thrown))).rejects.toBe(thrown);
    const busy = new RelayError("EXPERIMENT_RUNNING", "Another experiment is under way");
    await expect(withStoreErrors(() => Promise.reject(busy))).rejects.toBe(busy);
  });

  test("rethrows the error of a wrong query unchanged", async () => {
    const { db } = await openTestStore();
    await expect(withStoreErrors(() => db.execute(sql`select 'x'::int`))).rejects.not.toMatchObject(unavailable);
  });
});

describe("isDataRefused()", () => {
  test("recognises a value that is refused and would be refused again", async () => {
    const { db } = await openTestStore();
    const refused = [
      sql`select 'soon'::timestamptz`,
      sql`select '+010000-01-01T00:00:00Z'::timestamptz`,
      sql`select ${"a\0b"}::text`,
      sql`select 2147483648::bigint::int`,
      sql`select ${"[".repeat(100_000)}::json`,
      sql`select repeat('x', 2147483647)`,
    ];
    for (const [index, query] of refused.entries()) {
      const thrown: unknown = await db.execute(query).catch((error: unknown) => error);
      expect([index, isDataRefused(thrown), isStoreUnavailable(thrown)]).toEqual([index, true, false]);
    }
  });

  test("recognises a value too large for the server's memory, whose code is that of an internal error", () => {
    const error = new DatabaseError("invalid memory alloc request size 1073741824", 100, "error");
    error.code = "XX000";
    expect([isDataRefused(error), isStoreUnavailable(error)]).toEqual([true, false]);
  });

  test("is false for an unreachable database and for a wrong statement", async () => {
    const { db } = await openTestStore();
    for (const query of [sql`select pg_terminate_backend(pg_backend_pid())`, sql`select nothing`]) {
      expect(isDataRefused(await db.execute(query).catch((error: unknown) => error))).toBe(false);
    }
    for (const thrown of [new RangeError("x"), null, "x"]) expect(isDataRefused(thrown)).toBe(false);
  });
});

/** A server that speaks TLS as Postgres does, with a certificate nobody trusts; its port. */
async function listenWithTls(): Promise<number> {
  const secure = createAuthority().issue("localhost", 1);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    // The SSLRequest of the protocol's message flow, answered with yes.
    socket.once("data", () => {
      socket.write("S");
      new TLSSocket(socket, { isServer: true, ...secure }).on("error", () => {});
    });
  });
  const { port, goDown } = await listenSwitchably(server);
  onTestFinished(goDown);
  return port;
}
