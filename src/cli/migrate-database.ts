import { settleWithin, systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { migrateStore } from "#store/migrate.ts";

import { aborted } from "#local/aborted.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

const limitMs = 60_000;

/** Throws the sentence if it fails or does not end: the database may be somebody's, far away and not answering. */
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
  "it looks like a pooler's address, which does for the relay, but try the migration with the server's direct one";

/** As Neon (`-pooler`) and Supabase (`pooler`, port 6543) name theirs, and PgBouncer's own port. */
function isPooler(databaseUrl: string): boolean {
  return /@[^/?]*(pooler|:6543|:6432)/.test(databaseUrl);
}

/** The innermost cause says most. */
function describe(thrown: unknown): string {
  let error = thrown;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (!(error instanceof Error)) return String(error);
  // insufficient_privilege
  if (errorCodeOf(error) === "42501") return `${error.message}; let the owner of the tables migrate first`;
  return error.message || (errorCodeOf(error) ?? error.name);
}
