import { RelayError } from "#platform/errors.ts";
import type { Backfill } from "#store/replays/backfill-row.ts";
import { endBackfill, readBackfill, startBackfill } from "#store/replays/backfills.ts";

import { advanceBackfill } from "./advance-backfill.ts";
import type { Backfilling } from "./backfilling.ts";
import { requireTokens } from "./choose-accounts.ts";
import { type DescribedBackfill, describeBackfill, readDescribedBackfill } from "./describe-backfill.ts";
import type { Position } from "./position.ts";

/** The command waits 45 s for the answer, and the last page that is begun may take 20. */
const firstStepMs = 2_000;

/**
 * Starts a planned or stopped backfill, or goes on with a stalled one, with a first step of some seconds. Throws `CONFLICT`
 * if it runs or has ended, `ENV_INVALID` without a token, `NOT_FOUND` and `STORE_UNAVAILABLE`.
 */
export async function beginBackfill(id: string, backfilling: Backfilling): Promise<DescribedBackfill> {
  const { db, clock, log } = backfilling;
  const backfill = await readBackfill(db, id);
  requireTokens(backfilling);
  if (backfill.state !== "stalled") {
    // Who starts it again wants to know whether what failed is still out of order.
    const position = { ...(backfill.position as Position), skippedInARow: 0 };
    if ((await startBackfill(db, id, position)) === undefined) throw conflict(await readBackfill(db, id));
    log.info("backfill.started", { backfillId: id, accounts: backfill.accounts.length });
  }
  await advanceBackfill(id, { after: null, deadlineMs: clock.monotonicMs() + firstStepMs }, backfilling);
  return readDescribedBackfill(db, id);
}

function conflict({ state, dueAtMs }: Backfill): RelayError {
  const advice =
    state === "waiting" && dueAtMs !== null
      ? `Instagram may be asked again at ${new Date(dueAtMs).toISOString()}`
      : state === "running"
        ? "watch it"
        : "plan another one";
  return new RelayError("CONFLICT", `The backfill is ${state} already: ${advice}`);
}

/**
 * Cancels a backfill that has not ended: the page that is read at this moment may still be stored, and nothing after it. What
 * is stored stays. Throws `CONFLICT` if it has ended, `NOT_FOUND` and `STORE_UNAVAILABLE`.
 */
export async function cancelBackfill(
  id: string,
  actor: string,
  { db, log }: Pick<Backfilling, "db" | "log">,
): Promise<DescribedBackfill> {
  const { state } = await readBackfill(db, id);
  const ended = await endBackfill(db, id, { state: "cancelled", because: `cancelled by ${actor}` });
  if (ended === undefined) {
    throw new RelayError("CONFLICT", `The backfill is ${state} already: there is nothing to cancel`);
  }
  log.warn("backfill.cancelled", { backfillId: id, actor, ...ended.counts });
  return describeBackfill(ended);
}
