import { RelayError } from "#platform/errors.ts";
import { countReclassified } from "#store/replays/replay-events.ts";
import { countSelection } from "#store/replays/replay-preview.ts";
import { readReplay, type Replay, startReplay, unstartReplay } from "#store/replays/replays.ts";

import { type DescribedReplay, describeReplay, readDescribedReplay } from "./describe-replay.ts";
import { stopReplay } from "./end-replay.ts";
import type { Operations } from "./operations.ts";
import { publishStep } from "./replay-step.ts";

/** By how much the set may grow between plan and start. */
const growthMax = 1.1;

/**
 * Starts a planned replay, or goes on with a stalled one. Throws `CONFLICT` if it has started or ended, if its plan has
 * expired or the set has grown by more than a tenth, and without the number that confirms mode `again`; `NOT_FOUND`;
 * `QSTASH_UNAVAILABLE`, and then it is still planned; `STORE_UNAVAILABLE`.
 */
export async function beginReplay(
  id: string,
  confirmCount: number | undefined,
  operations: Operations,
): Promise<DescribedReplay> {
  const { db, log } = operations;
  const planned = await readReplay(db, id);
  if (planned.state === "stalled") {
    await publishStep(planned, 0, operations);
    return describeReplay(db, planned);
  }
  await requireStartable(planned, confirmCount, operations);
  const replay = await startReplay(db, planned);
  if (replay === undefined) throw new RelayError("CONFLICT", "The replay has been started already: watch it");
  if ("sameAs" in replay) {
    throw new RelayError(
      "CONFLICT",
      `${replay.sameAs} runs the same events again at this moment: watch it, or cancel it first`,
    );
  }
  try {
    await publishStep(replay, 0, operations);
  } catch (thrown) {
    await unstartReplay(db, replay);
    throw new RelayError("QSTASH_UNAVAILABLE", "The queue does not take the replay: it is not started", {
      cause: thrown,
    });
  }
  log.info("replay.started", { replayId: id, mode: replay.mode, total: replay.total });
  return describeReplay(db, replay);
}

async function requireStartable(
  replay: Replay,
  confirmCount: number | undefined,
  { db, clock, reclassify }: Operations,
): Promise<void> {
  const { state, plan, mode, filter, total } = replay;
  if (state !== "planned") {
    throw new RelayError(
      "CONFLICT",
      `The replay is ${state} already: ${state === "running" ? "watch it" : "plan another one"}`,
    );
  }
  const { expiresAt, count } = plan as { expiresAt: string; count: number };
  if (clock.nowMs() > Date.parse(expiresAt)) {
    throw new RelayError("CONFLICT", `The plan expired at ${expiresAt}: plan the replay again`);
  }
  const { events, batches } = await countSelection(db, replay);
  const isKnownOnly = filter.unknown === true;
  const known = isKnownOnly ? Object.values(await countReclassified(db, replay, reclassify)) : [events];
  const now = known.reduce((sum, one) => sum + one, batches);
  if (now > total * growthMax) {
    throw new RelayError("CONFLICT", `The set has grown from ${total} to ${now} since the plan: plan the replay again`);
  }
  if (mode === "again" ? confirmCount === count : confirmCount === undefined || confirmCount === count) return;
  throw new RelayError("CONFLICT", `Confirm the number of events with "confirmCount": ${count}`);
}

/**
 * Cancels a replay that has not ended: what is published and not begun is taken back, what runs ends. Throws `CONFLICT` if it
 * has ended, `NOT_FOUND` and `STORE_UNAVAILABLE`.
 */
export async function cancelReplay(id: string, actor: string, operations: Operations): Promise<DescribedReplay> {
  const { db } = operations;
  const replay = await readReplay(db, id);
  if (!(await stopReplay(replay, `cancelled by ${actor}`, operations))) {
    throw new RelayError(
      "CONFLICT",
      `The replay is ${(await readReplay(db, id)).state} already: there is nothing to cancel`,
    );
  }
  return readDescribedReplay(db, id);
}
