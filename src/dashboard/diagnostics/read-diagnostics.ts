import * as v from "valibot";

import type { Database } from "#store/connection/database.ts";

import { searchParamsOf } from "../lists/list-request.ts";
import { parseQuery, plainText } from "../lists/query-parameters.ts";
import type { SearchParams } from "../lists/search-params.ts";
import { type CheckedGroup, readCheckedGroups } from "./read-checked-groups.ts";
import { type LifecycleExperiment, readLifecycle, readLifecycles } from "./read-lifecycle.ts";

/** What the diagnostics page shows. */
export interface Diagnostics {
  /** The experiment that is shown; null before the first one. */
  experiment: LifecycleExperiment | null;
  /** When the newest experiment ends; null if it has ended. */
  underWayUntil: string | null;
  /** The newest experiments, which may include the one shown. */
  others: { id: string; startedAt: string }[];
  /** The last results of the doctor's checks on this relay. */
  checked: CheckedGroup[];
}

/** The page links to this many experiments. */
const shownMax = 5;

const diagnosticsQuery = v.object({ experiment: v.optional(plainText, "") });

/** The experiment that the page's address asks for; empty for the newest. Throws `REQUEST_INVALID`. */
export function parseExperimentId(params: SearchParams): string {
  return parseQuery(diagnosticsQuery, searchParamsOf(params)).experiment;
}

/** Reads the experiment of this id, or the newest if the id is empty. Throws `NOT_FOUND` for one that was deleted. */
export async function readDiagnostics(db: Database, id: string, nowMs: number): Promise<Diagnostics> {
  const others = await readLifecycles(db, shownMax);
  const newestId = others[0]?.id;
  const shownId = id === "" ? newestId : id;
  const experiment = shownId === undefined ? null : await readLifecycle(db, shownId, nowMs);
  // The newest may still run while an older one is shown.
  const isNewest = newestId === undefined || shownId === newestId;
  const newest = isNewest ? experiment : await readLifecycle(db, newestId, nowMs);
  return { others, experiment, underWayUntil: newest?.lookAgainAt ?? null, checked: await readCheckedGroups(db) };
}
