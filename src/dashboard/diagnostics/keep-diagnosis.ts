import { type Clock, settleWithin } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { keepChecks } from "#store/operators/diagnoses.ts";

export interface KeepDiagnosisOptions {
  /** Throws `ENV_INVALID`. */
  openDatabase: () => Database;
  clock: Clock;
}

const limitMs = 2_000;

/** The diagnosis, which is kept for readers if Postgres can: it may be what is wrong. Never rejects. */
export async function keepDiagnosis<T extends { checks: object[] }>(
  name: string,
  diagnosis: T,
  { openDatabase, clock }: KeepDiagnosisOptions,
): Promise<T> {
  try {
    await settleWithin(clock, limitMs, keepChecks(openDatabase(), name, diagnosis.checks));
  } catch {
    // The checks themselves say what is wrong with Postgres.
  }
  return diagnosis;
}
