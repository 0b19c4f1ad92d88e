import { keepDiagnosis as keepWith } from "#dashboard/diagnostics/keep-diagnosis.ts";

import { getDatabase } from "../../database.ts";
import { clock } from "../../log.ts";

/** `keepDiagnosis` of src/dashboard in this process's database. */
export function keepDiagnosis<T extends { checks: object[] }>(name: string, diagnosis: T): Promise<T> {
  return keepWith(name, diagnosis, { openDatabase: getDatabase, clock });
}
