import type { Database } from "#store/database.ts";
import { type RuntimeComparison, windowEndingAt, type WindowName } from "#measurements/runtime-comparison.ts";

import { type DeadLetterItem, readDeadLetters } from "./read-dead-letters.ts";
import { readDeliveryRuntimes } from "./read-delivery.ts";
import { type EventFilter, type EventPage, readEvents } from "./read-events.ts";
import { type HandlerCount, readHandlerCounts } from "./read-handler-counts.ts";
import { readNewestRefusals, readRefusalTotals, type RefusalItem, type RefusalTotal } from "./read-refusals.ts";
import { readRuntimes } from "./read-runtimes.ts";

export interface Overview {
  comparison: RuntimeComparison;
  page: EventPage;
  /** The runtime of each delivery on the page of events. */
  eventRuntimes: Map<string, string>;
  counts: HandlerCount[];
  deadLetters: DeadLetterItem[];
  refusals: { totals: RefusalTotal[]; newest: RefusalItem[] };
}

/** Everything on the dashboard's first page. */
export async function readOverview(
  db: Database,
  { window, filter, nowMs }: { window: WindowName; filter: EventFilter; nowMs: number },
): Promise<Overview> {
  const [comparison, page, counts, { deadLetters }, totals, newest] = await Promise.all([
    readRuntimes(db, window, nowMs),
    readEvents(db, filter, { data: "none" }),
    readHandlerCounts(db),
    readDeadLetters(db, { limit: 5 }),
    readRefusalTotals(db, windowEndingAt(window, nowMs)),
    readNewestRefusals(db),
  ]);
  const eventRuntimes = await readDeliveryRuntimes(
    db,
    page.events.map((event) => event.deliveryId),
  );
  return { comparison, page, eventRuntimes, counts, deadLetters, refusals: { totals, newest } };
}
