import { DrizzleQueryError } from "drizzle-orm";
import { DatabaseError } from "pg";

import { RelayError } from "#platform/errors.ts";

/**
 * SQLSTATE classes in which the server cannot serve us whatever we ask: connection, authorization, unknown database,
 * conflicts of transactions, resources, operator intervention (a statement's time limit too), system and internal
 * errors; and a table that is not there, which a migration is about to make.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailable = /^(08|28|3D|40|53|55|57|58|XX|42P01)/;

/**
 * SQLSTATE classes in which a row's content is refused, and would be again: cardinality, data, constraints, limits, and
 * what a trigger of the user's raises.
 */
const dataRefused = /^(21|22|23|44|54|P0)/;

/** Whether something failed for what was to be written, so that writing less of it can help. */
export function isDataRefused(thrown: unknown): boolean {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (!(cause instanceof DatabaseError)) return false;
  // A value too large for the server's memory has no code of its own.
  return dataRefused.test(cause.code ?? "") || cause.message.startsWith("invalid memory alloc request size");
}

/** Runs `work`; what fails because Postgres cannot be used now becomes `STORE_UNAVAILABLE`. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!isStoreUnavailable(thrown)) throw thrown;
    throw new RelayError("STORE_UNAVAILABLE", "The database is unavailable", { cause: thrown });
  }
}

/** Whether something failed because the database is away rather than because the query is wrong. */
export function isStoreUnavailable(thrown: unknown): boolean {
  if (isDataRefused(thrown)) return false;
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (cause instanceof DatabaseError) return unavailable.test(cause.code ?? "");
  // The query got no answer from a server at all: refused, reset, timed out.
  return thrown instanceof DrizzleQueryError || isConnectionError(cause);
}

/** A transaction asks the pool for a connection first; what fails there is the system's error or the driver's words. */
function isConnectionError(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code } = cause as NodeJS.ErrnoException;
  return (
    /^E[A-Z]+$/.test(code ?? "") || /^(Connection terminated|timeout exceeded|Query read timeout)/.test(cause.message)
  );
}
