import { settleWithin } from "#platform/clock.ts";
import { keepChecks } from "#store/diagnoses.ts";

import { clock } from "../../log.ts";
import { getDatabase } from "../../services.ts";

const limitMs = 2_000;

/** The diagnosis, which is kept for readers if Postgres can: it may be what is wrong. Never rejects. */
export async function keepDiagnosis<T extends { checks: object[] }>(name: string, diagnosis: T): Promise<T> {
  try {
    await settleWithin(clock, limitMs, keepChecks(getDatabase(), name, diagnosis.checks));
  } catch {
    // The checks themselves say what is wrong with Postgres.
  }
  return diagnosis;
}
