import { type RuntimeSummary, windowEndingAt, type WindowName } from "#measurements/runtime-comparison.ts";
import { summarizeRuntime } from "#measurements/summarize-runtime.ts";
import { runtimes } from "#platform/delivery.ts";
import type { Database } from "#store/connection/database.ts";

import { readFigures } from "../runtimes/read-figures.ts";
import { type FiringAlert, readFiringAlerts } from "./read-firing-alerts.ts";
import { readRefusalTotals, type RefusalTotal } from "./read-refusals.ts";
import { readStatus, type StatusOptions } from "./read-status.ts";
import type { Status } from "./status.ts";

/** Everything on the status page. */
export interface StatusPage {
  status: Status;
  /** What arrived in the window, by runtime. */
  traffic: RuntimeSummary[];
  alerts: FiringAlert[];
  /** The refused deliveries of the last day; empty unless the status leads to them. */
  refusals: RefusalTotal[];
  /** Whether no delivery has been received, and none was refused in the last day. */
  isNew: boolean;
}

const dayMs = 24 * 3_600_000;

/** Reads the page. Rejects with the driver's error if traffic or alerts cannot be read. */
export async function readStatusPage(
  db: Database,
  { window: name, ...options }: StatusOptions & { window: WindowName },
): Promise<StatusPage> {
  const window = windowEndingAt(name, options.nowMs);
  const { nowMs } = options;
  const [status, { figures }, refused, alerts] = await Promise.all([
    readStatus(db, options),
    readFigures(db, window),
    readRefusalTotals(db, { fromMs: nowMs - dayMs, toMs: nowMs + 1 }),
    readFiringAlerts(db),
  ]);
  const leadsToRefusals = status.items.some(({ name: of, href }) => of === "refused" && href !== null);
  return {
    status,
    traffic: runtimes.map((runtime) => summarizeRuntime(runtime, figures, window)),
    alerts,
    refusals: leadsToRefusals ? refused : [],
    isNew: status.lastDeliveryAt === null && refused.length === 0,
  };
}
