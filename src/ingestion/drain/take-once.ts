import { describeCause } from "#platform/log.ts";
import type { PulledMessage } from "#queue/pulled-queue.ts";

import { aloneFrom, type DrainedQueue, drainMessage, messageLeaseMs, queueTimeoutMs } from "./drain-messages.ts";
import type { Run } from "./drain-run.ts";

/** Messages of a drain that are stored at the same time. */
const placesMax = 32;
/** Messages of a drain whose handlers run, or wait for a place, at the same time: they hold no place of the others. */
const asideMax = 64;

/** How many further messages may be taken now. */
export function countFree({ active, aside }: Pick<Run, "active" | "aside">): number {
  // Each batch that is stored may go aside, so more may be there than are taken beside them; Postgres refuses a negative limit.
  return Math.max(0, Math.min(placesMax - active.size, asideMax - aside.size));
}

/** Takes once from each queue that may have something; resolves with how many messages came, whose work has begun. */
export async function takeOnce(run: Run, free: number, paused: boolean): Promise<number> {
  const { unusable, empty } = run;
  const isAsked = (drained: DrainedQueue) =>
    !unusable.has(drained) && !empty.has(drained) && !(paused && drained.batchesOnly);
  const usable = run.options.queues.filter(isAsked);
  const countMax = Math.ceil(free / Math.max(1, usable.length));
  const counts = await Promise.all(usable.map((drained) => takeFrom(drained, countMax, run)));
  const taken = counts.reduce((sum, count) => sum + count, 0);
  run.taken += taken;
  return taken;
}

async function takeFrom(drained: DrainedQueue, countMax: number, run: Run): Promise<number> {
  try {
    const messages = await drained.queue.take(countMax, messageLeaseMs, queueTimeoutMs);
    const alone: PulledMessage[] = [];
    for (const message of messages) {
      const isBatch = message.route === "instagram-ingestion";
      if (isBatch && message.retried >= aloneFrom) alone.push(message);
      else begin(isBatch ? run.active : run.aside, () => drainOne(drained, message, run));
    }
    if (alone.length > 0) begin(run.active, () => drainInTurn(drained, alone, run));
    if (messages.length < (drained.queue.isExact === true ? countMax : 1)) run.empty.add(drained);
    return messages.length;
  } catch (thrown) {
    run.unusable.add(drained);
    run.options.log.warn("drain.queue_failed", { queue: drained.name, ...describeCause(thrown) });
    return 0;
  }
}

/** Resolves with the acknowledgement, which is under way. */
async function drainOne(
  drained: DrainedQueue,
  message: PulledMessage,
  run: Run,
): Promise<{ acknowledged: Promise<void> }> {
  const keep = (work: Promise<unknown>) => begin(run.aside, () => work);
  const { outcome, acknowledged } = await drainMessage(drained, message, keep, run.options);
  begin(run.stored, () => acknowledged);
  if (outcome !== "done") run.failed += 1;
  if (outcome === "stop") run.giveUp();
  return { acknowledged };
}

/** What the lease or the run leaves no time for is given back untried. */
async function drainInTurn(drained: DrainedQueue, messages: readonly PulledMessage[], run: Run): Promise<void> {
  const { clock, random } = run.options;
  const startedAt = clock.monotonicMs();
  const inAnyOrder = messages.map((message) => ({ message, at: random() })).toSorted((one, other) => one.at - other.at);
  for (const { message } of inAnyOrder) {
    if (run.goesOn() && clock.monotonicMs() - startedAt < messageLeaseMs / 3)
      // The next one may end the process.
      await (
        await drainOne(drained, message, run)
      ).acknowledged;
    else await drained.queue.giveBack(message, 0, queueTimeoutMs, true);
  }
}

/** Keeps it in the set while it runs. */
function begin(set: Set<Promise<unknown>>, work: () => Promise<unknown>): void {
  const running: Promise<unknown> = work()
    .catch(() => {})
    .finally(() => set.delete(running));
  set.add(running);
}

/** Waits for what is under way, also for what that begins. */
export async function settled(set: ReadonlySet<Promise<unknown>>): Promise<void> {
  while (set.size > 0) await Promise.all(set);
}
