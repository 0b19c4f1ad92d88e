import { DrizzleQueryError } from "drizzle-orm";
import { DatabaseError } from "pg";

import { RelayError } from "#platform/errors.ts";

/**
 * SQLSTATE classes in which the server cannot serve any statement now: connection, the transaction's state (a primary
 * that has become read-only), authorization, unknown database, conflicts of transactions, resources, operator
 * intervention (a statement's time limit too), system and internal errors; a missing schema, table, column or function,
 * which a migration will add; and a missing right, which a grant will. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailable = /^(08|25|28|3D|3F|40|53|55|57|58|XX|42P01|42501|42703|42883)/;

/**
 * Classes after which the connection is useless: it is ending, or leads to a server that is no longer the primary. A
 * statement's time limit (57014) leaves it intact.
 */
const breaking = /^(08|25|57P|58|XX)/;

/**
 * SQLSTATE classes in which a row's content is refused, and would be again: cardinality, data, constraints, limits, and
 * errors raised by a user's trigger.
 */
const dataRefused = /^(21|22|23|44|54|P0)/;

/** Whether a statement failed because of the data to be written, so that writing less of it can help. */
export function isDataRefused(thrown: unknown): boolean {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (!(cause instanceof DatabaseError)) return false;
  // A value too large for the server's memory has no code of its own.
  return dataRefused.test(cause.code ?? "") || cause.message.startsWith("invalid memory alloc request size");
}

/** Runs `work`; an error that means Postgres cannot be used now is thrown as `STORE_UNAVAILABLE`, any other as it is. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof RelayError || !isStoreUnavailable(thrown)) throw thrown;
    throw storeUnavailable(thrown);
  }
}

/** The one `STORE_UNAVAILABLE`; the cause is for the log. */
export function storeUnavailable(cause: unknown): RelayError {
  return new RelayError("STORE_UNAVAILABLE", "The database is unavailable", { cause });
}

/** Whether an error means that the database cannot be used now, and not that the query is wrong. */
export function isStoreUnavailable(thrown: unknown): boolean {
  if (thrown instanceof RelayError) return thrown.code === "STORE_UNAVAILABLE";
  if (isDataRefused(thrown)) return false;
  const { cause, isQuery } = unwrap(thrown);
  if (cause instanceof DatabaseError) return unavailable.test(cause.code ?? "");
  // No server answered the query: refused, reset, timed out.
  return isQuery ? !isOurMistake(cause) : isConnectionError(cause);
}

/** Whether a statement was ended because it took too long: another one, about less, may succeed. */
export function isTooSlow(thrown: unknown): boolean {
  return codeOf(thrown) === "57014";
}

/** Whether a statement was ended because another transaction holds a lock that it needs: one about other rows may succeed. */
export function isLockedOut(thrown: unknown): boolean {
  return codeOf(thrown) === "55P03";
}

/** The SQLSTATE, of a `STORE_UNAVAILABLE` that of its cause. */
function codeOf(thrown: unknown): string | undefined {
  const { cause } = unwrap(thrown instanceof RelayError ? thrown.cause : thrown);
  return cause instanceof DatabaseError ? cause.code : undefined;
}

/** Whether the connection of this error must not be used again. */
export function breaksConnection(thrown: unknown): boolean {
  if (thrown instanceof RelayError) return false;
  const { cause, isQuery } = unwrap(thrown);
  if (cause instanceof DatabaseError) return isFatal(cause) || breaking.test(cause.code ?? "");
  return isQuery || isConnectionError(cause);
}

function unwrap(thrown: unknown): { cause: unknown; isQuery: boolean } {
  if (!(thrown instanceof DrizzleQueryError)) return { cause: thrown, isQuery: false };
  return { cause: thrown.cause, isQuery: true };
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function isFatal({ severity }: DatabaseError): boolean {
  return severity === "FATAL" || severity === "PANIC";
}

/** The driver could not send a value. */
function isOurMistake(cause: unknown): boolean {
  return cause instanceof TypeError || cause instanceof RangeError;
}

/**
 * The system's errors (refused, reset, a name that is not resolved), TLS and certificate errors, and the driver's own,
 * which have no code. https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
function isConnectionError(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === "string" ? isConnectionCode(code) : driverErrors.test(cause.message);
}

function isConnectionCode(code: string): boolean {
  return (
    /^(E(?!RR_)[A-Z_]+|ERR_(TLS|SSL|SOCKET)_.*)$/.test(code) ||
    /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_)/.test(
      code,
    )
  );
}

const driverErrors =
  /^(Connection terminated|timeout exceeded|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|The server does not support SSL|There was an error establishing an SSL)/;
