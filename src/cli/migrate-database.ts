import { settleWithin, systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { migrateStore, withClient } from "#store/migrate.ts";
import { dropOldTables } from "#store/move/drop-old-tables.ts";
import type { MoveProgress } from "#store/move/move-store.ts";

import { aborted } from "#local/aborted.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

/** Without a step forward. A migration tries for about as long to get a lock. */
const limitMs = 90_000;

/**
 * Brings the schema up to date, and moves the rows of an earlier release there. Throws a `CliFailure` with advice if that
 * fails, makes no step for 90 s (a remote database may not answer), or `signal` is aborted.
 */
export async function migrateDatabase(
  databaseUrl: string,
  signal: AbortSignal,
  onProgress: (progress: MoveProgress) => void = () => {},
): Promise<void> {
  requireAddress(databaseUrl);
  let steps = 0;
  const options = {
    onProgress: (progress: MoveProgress) => {
      steps++;
      onProgress(progress);
    },
  };
  const migrated = migrateStore(databaseUrl, options).then(
    () => null,
    (error: unknown) => describe(error),
  );
  const interrupted = aborted(signal).then(() => "interrupted");
  const ended = Promise.race([migrated, interrupted]);
  let problem: string | null | undefined;
  for (let before = -1; problem === undefined && before < steps;) {
    before = steps;
    problem = await settleWithin(systemClock, limitMs, ended);
  }
  if (problem === null) return;
  const advice = ["check DATABASE_URL", ...(isPooler(databaseUrl) ? [directAdvice] : [])].join("; ");
  throw new CliFailure(
    `The database could not be migrated (${problem ?? `no answer within ${limitMs / 1000} s`}): ${advice}.`,
  );
}

/**
 * Drops the tables of the releases before the schema `relay`; resolves with false if there are none. Throws a `CliFailure`
 * if that is not possible now.
 */
export async function dropOld(databaseUrl: string): Promise<boolean> {
  requireAddress(databaseUrl);
  try {
    return await withClient(databaseUrl, (client) => dropOldTables(client, systemClock));
  } catch (thrown) {
    throw new CliFailure(`The old tables could not be dropped (${describe(thrown)}).`);
  }
}

function requireAddress(databaseUrl: string): void {
  try {
    readEnv({ DATABASE_URL: databaseUrl }, ["DATABASE_URL"]);
  } catch {
    throw new CliFailure(
      "DATABASE_URL is malformed: it must begin with postgres:// or postgresql://, and a password in it must be percent-encoded.",
    );
  }
}

const directAdvice =
  "it looks like the address of a pooler, which the relay can use; try the migration with the direct address of the server";

/** By the names that Neon (`-pooler`) and Supabase (`pooler`, port 6543) use, and the port of PgBouncer. */
function isPooler(databaseUrl: string): boolean {
  return /@[^/?]*(pooler|:6543|:6432)/.test(databaseUrl);
}

/** The innermost cause: it is the most specific. */
function describe(thrown: unknown): string {
  let error = thrown;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (!(error instanceof Error)) return String(error);
  // insufficient_privilege
  if (errorCodeOf(error) === "42501") return `${error.message}; let the owner of the tables migrate first`;
  return error.message || (errorCodeOf(error) ?? error.name);
}
