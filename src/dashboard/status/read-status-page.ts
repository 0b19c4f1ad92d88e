import { type RuntimeSummary, windowEndingAt, type WindowName } from "#measurements/runtime-comparison.ts";
import { summarizeRuntime } from "#measurements/summarize-runtime.ts";
import { runtimes } from "#platform/delivery.ts";
import type { Database } from "#store/connection/database.ts";

import { readFigures } from "../runtimes/read-figures.ts";
import { type FiringAlert, readFiringAlerts } from "./read-firing-alerts.ts";
import { readNewestRefusals, type RefusalItem } from "./read-refusals.ts";
import { readStatus, type StatusOptions } from "./read-status.ts";
import type { Status } from "./status.ts";

/** Everything on the status page. */
export interface StatusPage {
  status: Status;
  /** What arrived in the window, by runtime. */
  traffic: RuntimeSummary[];
  alerts: FiringAlert[];
  /** The newest refusals; empty unless deliveries were refused in the last day. */
  refusals: RefusalItem[];
  /** Whether nothing has been received yet, not even to be refused. */
  isNew: boolean;
}

/** Reads the page. Rejects with the driver's error if traffic or alerts cannot be read. */
export async function readStatusPage(
  db: Database,
  { window: name, ...options }: StatusOptions & { window: WindowName },
): Promise<StatusPage> {
  const window = windowEndingAt(name, options.nowMs);
  const [status, { figures }, newest, alerts] = await Promise.all([
    readStatus(db, options),
    readFigures(db, window),
    readNewestRefusals(db),
    readFiringAlerts(db),
  ]);
  const leadsToRefusals = status.items.some(({ name: of, href }) => of === "refused" && href !== null);
  return {
    status,
    traffic: runtimes.map((runtime) => summarizeRuntime(runtime, figures, window)),
    alerts,
    refusals: leadsToRefusals ? newest : [],
    isNew: status.lastDeliveryAt === null && newest.length === 0,
  };
}
