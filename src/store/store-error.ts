import { RelayError } from "#platform/errors.ts";

/**
 * SQLSTATE classes that say the database, not the data, is the trouble: connection, resources, operator intervention,
 * system error, serialization. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailableClasses = /^(08|25|28|3D|40|53|55|57|58|XX|42P01)/;

/** Runs `work`; what fails because Postgres cannot be used now becomes `STORE_UNAVAILABLE`. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isUnavailable(thrown))
      throw new RelayError("STORE_UNAVAILABLE", "The database is unavailable", { cause: thrown });
    throw thrown;
  }
}

/** A Postgres error carries its SQLSTATE; a connection that failed carries the system's code, or the pool's words. */
function isUnavailable(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as { code?: unknown };
  if ("severity" in thrown && typeof code === "string") return unavailableClasses.test(code);
  if (typeof code === "string" && /^E[A-Z_]+$/.test(code)) return true;
  if (/timeout|terminated|Connection|connect/.test(thrown.message) && !("query" in thrown)) return true;
  return isUnavailable(thrown.cause);
}
