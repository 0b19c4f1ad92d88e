import { type Client, DatabaseError } from "pg";

import { type Clock, sleep } from "#platform/clock.ts";

/** The key of the advisory lock that keeps two migrators of one database apart; an arbitrary constant. */
const migrationLock = 7_340_118;

/**
 * While a migration waits for a table's lock, every later statement on that table waits behind it. So it gives up soon,
 * lets the others pass and tries again. https://www.postgresql.org/docs/current/explicit-locking.html
 */
const lockTimeoutMs = 1_500;
const lockPauseMs = 1_000;
const attemptsMax = 30;

/** This database cannot be migrated as it is; the message is a sentence for the operator. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/**
 * Runs `work` in a transaction of which one runs at a time for each database. If it waits for a lock for 1.5 s, it is rolled
 * back and tried again, up to thirty times. Rejects with what `work` rejects with.
 */
export async function inMigration<T>(client: Client, clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      // The role's own limit is too short for migrating a large table.
      await client.query("begin; set local statement_timeout = 0");
      await client.query("select pg_advisory_xact_lock($1)", [migrationLock]);
      await client.query(`set local lock_timeout = ${lockTimeoutMs}`);
      const result = await work();
      await client.query("commit");
      return result;
    } catch (thrown) {
      await client.query("rollback").catch(() => {});
      if (attempt === attemptsMax || !isLockConflict(thrown)) throw thrown;
      await sleep(clock, lockPauseMs);
    }
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available, deadlock_detected */
export function isLockConflict(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && (thrown.code === "55P03" || thrown.code === "40P01");
}
