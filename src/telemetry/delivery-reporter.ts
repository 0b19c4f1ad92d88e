import type { ForwardReport } from "./report.ts";
import { sendReport, type SendReportOptions } from "./send-report.ts";

/** A report may take this long; it is the last thing an invocation does and must not keep it. */
const timeoutMs = 1_000;

export interface DeliveryReporterOptions extends Omit<SendReportOptions, "timeoutMs"> {
  /** The share of successful forwards that send a report; failures always do. */
  sampleRate: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** What the webhook knows of a delivery and its forward when both are done. */
export type SettledDelivery = Omit<ForwardReport, "deliveryId" | "publishMs"> & { id: string; durationMs: number };

/** A function that sends a delivery's report, if it is one of the sampled. Bounded in time and never rejects. */
export function createDeliveryReporter(options: DeliveryReporterOptions): (delivery: SettledDelivery) => Promise<void> {
  const { sampleRate, random, log, ...rest } = options;
  return async (delivery) => {
    if (delivery.outcome === "published" && random() >= sampleRate) return;
    const report: ForwardReport = {
      deliveryId: delivery.id,
      runtime: delivery.runtime,
      region: delivery.region,
      coldStart: delivery.coldStart,
      probe: delivery.probe,
      receivedAtMs: delivery.receivedAtMs,
      bodyBytes: delivery.bodyBytes,
      events: delivery.events,
      outcome: delivery.outcome,
      ackMs: delivery.ackMs,
      publishMs: delivery.durationMs,
      publishedAtMs: delivery.publishedAtMs,
      attempts: delivery.attempts,
      timeouts: delivery.timeouts,
      errorType: delivery.errorType,
    };
    await sendReport(report, { ...rest, timeoutMs, log: log.with({ deliveryId: delivery.id }) });
  };
}
