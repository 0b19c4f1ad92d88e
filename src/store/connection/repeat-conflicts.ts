import { DrizzleQueryError } from "drizzle-orm";
import { DatabaseError } from "pg";

const attemptsMax = 3;

/**
 * Runs `work`, one statement that is a transaction of its own, again if it met another one in a way that a repetition
 * ends: serialization_failure, deadlock_detected; or a group of dead letters that another one makes (not_null_violation
 * on `group_id`, which a new snapshot sees). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export async function repeatConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (attempt === attemptsMax || !isConflict(thrown)) throw thrown;
    }
  }
}

function isConflict(thrown: unknown): boolean {
  const cause = thrown instanceof DrizzleQueryError ? thrown.cause : thrown;
  if (!(cause instanceof DatabaseError)) return false;
  return /^40(001|P01)$/.test(cause.code ?? "") || (cause.code === "23502" && cause.column === "group_id");
}
