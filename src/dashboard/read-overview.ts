import { type RuntimeComparison, windowEndingAt, type WindowName } from "#measurements/runtime-comparison.ts";
import type { Clock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";

import type { EventFilter } from "./event-filter.ts";
import { type DeadLetterGroup, readDeadLetterGroups } from "./read-dead-letter-groups.ts";
import { type EventPage, readEvents } from "./read-events.ts";
import { type HandlerCount, readHandlerCounts } from "./read-handler-counts.ts";
import { type OpenWork, readOpenWork } from "./read-open-work.ts";
import { readNewestRefusals, readRefusalTotals, type RefusalItem, type RefusalTotal } from "./read-refusals.ts";
import { type ComparisonOptions, readRuntimes } from "./read-runtimes.ts";

export interface Overview {
  comparison: RuntimeComparison;
  page: EventPage;
  counts: HandlerCount[];
  work: OpenWork;
  /** The groups that recurred last. */
  groups: DeadLetterGroup[];
  refusals: { totals: RefusalTotal[]; newest: RefusalItem[] };
}

export interface OverviewOptions extends ComparisonOptions {
  window: WindowName;
  filter: EventFilter;
  clock: Clock;
}

const groupsMax = 5;

/** Everything on the dashboard's first page. */
export async function readOverview(
  db: Database,
  { window, filter, clock, ...options }: OverviewOptions,
): Promise<Overview> {
  const [comparison, page, counts, work, { groups }, totals, newest] = await Promise.all([
    readRuntimes(db, { window, region: null, deployment: null, cold: "all" }, options),
    readEvents(db, filter, clock),
    readHandlerCounts(db),
    readOpenWork(db),
    readDeadLetterGroups(db, { limit: groupsMax }),
    readRefusalTotals(db, windowEndingAt(window, options.nowMs)),
    readNewestRefusals(db),
  ]);
  return { comparison, page, counts, work, groups, refusals: { totals, newest } };
}
