import { Client } from "pg";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "#local/embedded-postgres.ts";
import { sendSignal } from "#local/processes.ts";

import { openPostgresPlace } from "../support/postgres-place.ts";
import { readProcessTree } from "../support/process-tree.ts";
import { findTestPort } from "../support/test-port.ts";

/** A Postgres for the application alone, so that what happens to it does not happen to QStash. */
export interface OwnPostgres {
  /** A superuser's address. */
  readonly url: string;
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
  /** SIGKILL to the postmaster; resolves when it is gone. Its other processes notice and end. */
  kill(): Promise<void>;
  /** SIGSTOP to all of its processes: the kernel still takes connections, and nobody answers. */
  freeze(): void;
  thaw(): void;
  /** As a primary that was demoted: sessions live on, and each write is refused with 25006. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  remove(): Promise<void>;
}

export async function openOwnPostgres(): Promise<OwnPostgres> {
  const place = openPostgresPlace();
  // Durable: with `synchronous_commit` off, a kill loses what was committed.
  const options = { ...place.options, port: await findTestPort() };
  let postgres: EmbeddedPostgres = await openEmbeddedPostgres(options);
  const signalAll = (signal: "SIGSTOP" | "SIGCONT") => {
    for (const { pid } of readProcessTree(postgres.pid)) sendSignal(pid, signal);
  };
  return {
    url: postgres.url("postgres"),
    stop: () => postgres.stop(),
    async start() {
      postgres = await openEmbeddedPostgres(options);
    },
    async kill() {
      sendSignal(postgres.pid, "SIGKILL");
      await postgres.exited;
    },
    freeze: () => signalAll("SIGSTOP"),
    thaw: () => signalAll("SIGCONT"),
    async setReadOnly(isReadOnly) {
      const client = new Client({ connectionString: postgres.url("postgres") });
      await client.connect();
      try {
        await client.query(
          `alter system ${isReadOnly ? "set" : "reset"} default_transaction_read_only${isReadOnly ? " = on" : ""}`,
        );
        await client.query("select pg_reload_conf()");
      } finally {
        await client.end();
      }
    },
    async remove() {
      signalAll("SIGCONT");
      await postgres.remove();
      place.remove();
    },
  };
}
