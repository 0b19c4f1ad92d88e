import { settleWithin, systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { migrateStore } from "#store/migrate.ts";

import { aborted } from "#local/aborted.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

const limitMs = 60_000;

/**
 * Brings the schema up to date. Throws a `CliFailure` with advice if that fails, takes longer than a minute (a remote
 * database may not answer), or `signal` is aborted.
 */
export async function migrateDatabase(databaseUrl: string, signal: AbortSignal): Promise<void> {
  requireAddress(databaseUrl);
  const migrated = migrateStore(databaseUrl).then(
    () => null,
    (error: unknown) => describe(error),
  );
  const interrupted = aborted(signal).then(() => "interrupted");
  const problem = await settleWithin(systemClock, limitMs, Promise.race([migrated, interrupted]));
  if (problem === null) return;
  const advice = ["check DATABASE_URL", ...(isPooler(databaseUrl) ? [directAdvice] : [])].join("; ");
  throw new CliFailure(
    `The database could not be migrated (${problem ?? `no answer within ${limitMs / 1000} s`}): ${advice}.`,
  );
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
