import type { ForwardReport } from "#telemetry/report.ts";

import type { Database } from "./database.ts";
import { deliveries } from "./schema.ts";
import { deliveryRow } from "./store-batch.ts";
import { withStoreErrors } from "./store-error.ts";

/** Stores what a forward did beside the delivery, whose row may be there already. Doing it again changes nothing. */
export async function saveReport(db: Database, report: ForwardReport, nowMs: number): Promise<void> {
  const measured = {
    events: report.events,
    outcome: report.outcome,
    ackMs: report.ackMs,
    publishMs: report.publishMs,
    publishedAt: report.publishedAtMs === null ? null : new Date(report.publishedAtMs),
    attempts: report.attempts,
    timeouts: report.timeouts,
    errorType: report.errorType,
    reportedAt: new Date(nowMs),
  };
  await withStoreErrors(() =>
    db
      .insert(deliveries)
      .values({ ...deliveryRow({ ...report, id: report.deliveryId }), ...measured })
      .onConflictDoUpdate({ target: deliveries.id, set: measured }),
  );
}
