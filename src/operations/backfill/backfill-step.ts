import * as v from "valibot";

import { describeCause } from "#platform/log.ts";
import type { Backfill } from "#store/replays/backfill-row.ts";

import { publishTimeoutMs } from "../operations.ts";
import type { Backfilling } from "./backfilling.ts";

/** The body of the message that advances a backfill. It names the lease of the step before, so that of two chains one ends. */
export const backfillMessage = v.object({
  version: v.literal(1),
  backfill: v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/)),
  after: v.pipe(v.string(), v.uuid()),
});
export type BackfillMessage = v.InferOutput<typeof backfillMessage>;

const delayMsMax = 24 * 60 * 60_000;

/** Publishes the message that leads to the next step. Without it maintenance takes the next step. Never rejects. */
export async function publishBackfillStep(
  { id, leaseId }: Backfill,
  delayMs: number,
  { publisher, newId, log }: Pick<Backfilling, "publisher" | "newId" | "log">,
): Promise<void> {
  const body = JSON.stringify({ version: 1, backfill: id, after: leaseId ?? "" } satisfies BackfillMessage);
  const options = { delayMs: Math.min(delayMs, delayMsMax), deduplicationId: newId(), label: "backfill", retries: 1 };
  try {
    await publisher.publish({ to: "maintenance", body, ...options }, publishTimeoutMs);
  } catch (thrown) {
    log.warn("backfill.failed", { backfillId: id, ...describeCause(thrown) });
  }
}
