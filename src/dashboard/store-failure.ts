import { DrizzleQueryError } from "drizzle-orm";
import { DatabaseError } from "pg";

/**
 * SQLSTATE classes in which the server cannot serve us whatever we ask: connection, authorization, unknown database,
 * resources, operator intervention (a statement's time limit too), system and internal errors.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailable = /^(08|28|3D|53|57|58|XX)/;

/** Whether a query failed because the database is away rather than because the query is wrong. */
export function isStoreUnavailable(thrown: unknown): boolean {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (cause instanceof DatabaseError) return unavailable.test(cause.code ?? "");
  // The query got no answer from a server at all: refused, reset, timed out.
  return thrown instanceof DrizzleQueryError;
}
