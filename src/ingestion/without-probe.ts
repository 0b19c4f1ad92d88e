import { probeAccount } from "#platform/probe-mark.ts";
import type { Batch } from "#queue/batch.ts";

/**
 * A batch without the events of probes. Its delivery is a probe if it had one, also where its mark was missing or too old
 * when the webhook received it: the body is signed with the app secret, and Meta has no account of that name.
 */
export function withoutProbe(batch: Batch): Batch {
  const events = batch.events.filter(({ accountId }) => accountId !== probeAccount);
  if (events.length === batch.events.length) return batch;
  return { ...batch, delivery: { ...batch.delivery, probe: true }, events };
}
