import { settleWithin, systemClock } from "#platform/clock.ts";
import { migrateStore } from "#store/migrate.ts";

import { aborted } from "./abort.ts";
import { CliFailure, errorCodeOf } from "./failure.ts";

const limitMs = 60_000;

/** Throws the sentence if it fails or does not end: the database may be somebody's, far away and not answering. */
export async function migrateDatabase(databaseUrl: string, signal: AbortSignal): Promise<void> {
  const migrated = migrateStore(databaseUrl).then(
    () => null,
    (error: unknown) => describe(error),
  );
  const interrupted = aborted(signal).then(() => "interrupted");
  const problem = await settleWithin(systemClock, limitMs, Promise.race([migrated, interrupted]));
  if (problem === null) return;
  throw new CliFailure(
    `The database could not be migrated (${problem ?? `no answer within ${limitMs / 1000} s`}): check DATABASE_URL.`,
  );
}

/** The innermost cause says most; drizzle wraps it in the statement. */
function describe(thrown: unknown): string {
  let error = thrown;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  if (!(error instanceof Error)) return String(error);
  return error.message || (errorCodeOf(error) ?? error.name);
}
