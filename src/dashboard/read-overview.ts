import type { Database } from "#store/database.ts";
import type { RuntimeComparison, WindowName } from "#telemetry/runtime-comparison.ts";

import { type DeadLetterItem, readDeadLetters } from "./read-dead-letters.ts";
import { readDeliveryRuntimes } from "./read-delivery.ts";
import { type EventFilter, type EventPage, readEvents } from "./read-events.ts";
import { type HandlerCount, readHandlerCounts } from "./read-handler-counts.ts";
import { readRuntimes } from "./read-runtimes.ts";

export interface Overview {
  comparison: RuntimeComparison;
  page: EventPage;
  /** The runtime of each delivery on the page of events. */
  eventRuntimes: Map<string, string>;
  counts: HandlerCount[];
  deadLetters: DeadLetterItem[];
}

/** Everything on the dashboard's first page. */
export async function readOverview(
  db: Database,
  { window, filter, nowMs }: { window: WindowName; filter: EventFilter; nowMs: number },
): Promise<Overview> {
  const [comparison, page, counts, { deadLetters }] = await Promise.all([
    readRuntimes(db, window, nowMs),
    readEvents(db, filter, { data: "none" }),
    readHandlerCounts(db),
    readDeadLetters(db, { limit: 5 }),
  ]);
  const eventRuntimes = await readDeliveryRuntimes(
    db,
    page.events.map((event) => event.deliveryId),
  );
  return { comparison, page, eventRuntimes, counts, deadLetters };
}
