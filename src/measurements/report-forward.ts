import type { DeliveryFacts, ForwardOutcome, ForwardResult } from "#platform/delivery.ts";
import type { Log } from "#platform/log.ts";

import type { Reporter } from "./reporter.ts";

export interface ReportForwardOptions {
  reporter: Pick<Reporter, "report">;
  /** The share of published deliveries whose batches carry the time of the ack that send a report; all others always do. */
  sampleRate: number;
  log: Log;
}

/**
 * Names the outcome of a delivery once its forward has ended, logs it and reports it: what neither the queue nor the store
 * has is `lost` if it was acknowledged, and `refused` if it was not. `ackMs`: from handler entry to the response; null if
 * that was no ack. Resolves within a second of the forward's end and never rejects.
 */
export async function reportForward(
  delivery: DeliveryFacts & { ackMs: number | null; events: readonly unknown[] },
  forwarded: Promise<ForwardResult>,
  ackMs: number | null,
  { reporter, sampleRate, log }: ReportForwardOptions,
): Promise<void> {
  const { id: deliveryId, runtime, secretIndex } = delivery;
  const events = delivery.events.length;
  const result = await forwarded;
  const { durationMs, batches, attempts, timeouts, errorType } = result;
  const outcome: ForwardOutcome = result.outcome ?? (ackMs === null ? "refused" : "lost");
  const deliveryLog = log.with({ deliveryId });
  if (outcome === "lost") {
    // A line per batch: many logs would cut one with a thousand keys, and it is the only trace.
    for (const { batch, keys } of result.undelivered) {
      const { publishErrorType } = result;
      deliveryLog.error("forward.lost", { batch, publishErrorType, fallbackErrorType: errorType, keys });
    }
  }
  const ended = { attempts, timeouts, errorType, outcome, events, ackMs };
  deliveryLog.info("forward.settled", { ...ended, batches, durationMs, runtime, secretIndex });
  const ackInBatch = delivery.ackMs !== null;
  // Where the batches did not know the time of the ack, only the report has it.
  const rate = ackInBatch && outcome === "published" ? sampleRate : 1;
  await reporter.report(rate, () => {
    const { region, deployment, coldStart, receivedAtMs, bodyBytes, probe } = delivery;
    const { publishedAtMs, messageIds } = result;
    const facts = { deliveryId, runtime, region, deployment, coldStart, receivedAtMs, bodyBytes, secretIndex, probe };
    return { ...facts, ...ended, publishMs: durationMs, publishedAtMs, messageIds, ackInBatch };
  });
}
