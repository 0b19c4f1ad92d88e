import * as v from "valibot";

import type { Database } from "#store/connection/database.ts";
import { readKeptChecks } from "#store/operators/diagnoses.ts";

import { checkResult, type CheckResult } from "./check-result.ts";

/** The last results of a group of the doctor's checks. */
export interface CheckedGroup {
  name: string;
  ranAt: string;
  checks: CheckResult[];
}

/** The groups that have run on this relay; what another release kept in another form is left out. */
export async function readCheckedGroups(db: Database): Promise<CheckedGroup[]> {
  const kept = await readKeptChecks(db);
  return kept.flatMap(({ name, ranAt, checks }) => {
    const { success, output } = v.safeParse(v.array(checkResult), checks);
    return success ? [{ name, ranAt, checks: output }] : [];
  });
}
