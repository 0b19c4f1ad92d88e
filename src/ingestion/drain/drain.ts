import { settleWithin, sleep } from "#platform/clock.ts";
import { describeCause } from "#platform/log.ts";
import type { PulledMessage } from "#queue/pulled-queue.ts";

import {
  aloneFrom,
  type DrainedQueue,
  drainMessage,
  type DrainMessagesOptions,
  messageLeaseMs,
  queueTimeoutMs,
} from "./drain-messages.ts";

/** The right to drain, over all processes. Its calls reject if the store cannot be used. */
export interface DrainRights {
  /** Null if others drain, who will see what has come until now. */
  begin: (leaseMs: number) => Promise<DrainRight | null>;
  /** The right to wait for messages to become due, for so long; null if another waits for as long. */
  beginWaiting: (untilMs: number) => Promise<WaitingRight | null>;
}

export interface DrainRight {
  /** Whether batches are held back, as of the last `keep`. */
  paused: boolean;
  /** Extends it; false if it was lost. What came before this is found by what is taken after it. */
  keep: (leaseMs: number) => Promise<boolean>;
  /** False if something came since the last `keep`: then the drain goes on. */
  end: () => Promise<boolean>;
}

export interface WaitingRight {
  /** When the next message is due, in milliseconds from now; null without one, undefined if another waits by now. */
  look: () => Promise<number | null | undefined>;
  end: () => Promise<void>;
}

export interface DrainOptions extends DrainMessagesOptions {
  queues: readonly DrainedQueue[];
  rights: DrainRights;
}

/** What one drain did. */
export interface Drained {
  taken: number;
  failed: number;
}

/** Nothing is taken later than this after the beginning; what is under way then may take as long again. */
export const drainMs = 50_000;
/** Of the right to drain: a drain whose process has died keeps others off for so long. */
const rightMs = 10_000;
const keepEveryMs = 3_000;
/** Messages of a drain that are stored at the same time. */
const placesMax = 32;
/** Messages of a drain whose handlers run, or wait for a place, at the same time: they hold no place of the others. */
const asideMax = 64;
/** While it waits for messages to become due: each look is one small statement. */
const lookEveryMs = 1_000;

/**
 * Takes messages until all queues are empty and nothing is due within the time that is left, at most for `drainMs`, and
 * resolves once all that it took is dealt with. Does nothing if enough others drain. Never rejects.
 */
export async function drain(options: DrainOptions, nudges: Nudges): Promise<Drained> {
  const { clock, log } = options;
  const run = createRun(options, nudges);
  try {
    for (let isDue = true; isDue;) isDue = await becomesDue(run, await drainOnce(run));
  } catch (thrown) {
    log.warn("drain.failed", describeCause(thrown));
  }
  await settled(run.active);
  await settled(run.aside);
  const { taken, failed } = run;
  if (taken > 0)
    log.info("drain.finished", { taken, failed, durationMs: Math.round(clock.monotonicMs() - run.startedAt) });
  return { taken, failed };
}

/** Calls for a look at the queues from within the process, which need no statement. */
export interface Nudges {
  /** Resolves at the next call, or at once if one came since the last `look`. */
  next: () => Promise<void>;
  /** The queues are looked at now. */
  look: () => void;
}

interface Run extends Drained {
  options: DrainOptions;
  nudges: Nudges;
  startedAt: number;
  /** Until the end of its time. */
  leftMs: () => number;
  /** Whether it may take anything further. */
  goesOn: () => boolean;
  /** Called after an error that every message would meet. */
  giveUp: () => void;
  /** Messages that are being stored. */
  active: Set<Promise<unknown>>;
  /** Handlers that run. */
  aside: Set<Promise<unknown>>;
  /** Queues that could not be used. */
  unusable: Set<DrainedQueue>;
}

function createRun(options: DrainOptions, nudges: Nudges): Run {
  const { clock, stopping } = options;
  const startedAt = clock.monotonicMs();
  let hasGivenUp = false;
  const leftMs = () => startedAt + drainMs - clock.monotonicMs();
  return {
    options,
    nudges,
    startedAt,
    leftMs,
    goesOn: () => !hasGivenUp && !stopping.aborted && leftMs() > 0,
    giveUp: () => (hasGivenUp = true),
    active: new Set(),
    aside: new Set(),
    unusable: new Set(),
    taken: 0,
    failed: 0,
  };
}

/** Takes as long as something comes while it looks. False if others drain. */
async function drainOnce(run: Run): Promise<boolean> {
  run.nudges.look();
  const right = await run.options.rights.begin(rightMs);
  if (right === null) return false;
  while ((await takeAll(run, right)) && !(await right.end()) && (await right.keep(rightMs))) {
    if (run.goesOn()) continue;
    await right.end();
    break;
  }
  return true;
}

/** Until the queues are empty or the run's time is over. False if the right was lost: then nothing is left to end. */
async function takeAll(run: Run, right: DrainRight): Promise<boolean> {
  const { clock } = run.options;
  let keptAt = clock.monotonicMs();
  let hasRight = true;
  while (run.goesOn()) {
    if (clock.monotonicMs() - keptAt > keepEveryMs) {
      hasRight = await right.keep(rightMs);
      if (!hasRight) break;
      keptAt = clock.monotonicMs();
    }
    const free = Math.min(placesMax - run.active.size, asideMax - run.aside.size);
    if (free > 0 && (await takeOnce(run, free, right.paused)) > 0) continue;
    if (run.active.size === 0 && free > 0) break;
    await settleWithin(
      clock,
      keepEveryMs,
      Promise.race([...run.active, ...(free > 0 ? [] : run.aside), run.nudges.next()]),
    );
  }
  while (run.active.size > 0) {
    await settleWithin(clock, keepEveryMs, settled(run.active));
    hasRight &&= await right.keep(rightMs);
  }
  return hasRight;
}

async function takeOnce(run: Run, free: number, paused: boolean): Promise<number> {
  run.nudges.look();
  const usable = run.options.queues.filter((drained) => !run.unusable.has(drained) && !(paused && drained.batchesOnly));
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
    return messages.length;
  } catch (thrown) {
    run.unusable.add(drained);
    run.options.log.warn("drain.queue_failed", { queue: drained.name, ...describeCause(thrown) });
    return 0;
  }
}

async function drainOne(drained: DrainedQueue, message: PulledMessage, run: Run): Promise<void> {
  const keep = (work: Promise<unknown>) => begin(run.aside, () => work);
  const outcome = await drainMessage(drained, message, keep, run.options);
  if (outcome !== "done") run.failed += 1;
  if (outcome === "stop") run.giveUp();
}

/** What the lease or the run leaves no time for is given back untried. */
async function drainInTurn(drained: DrainedQueue, messages: readonly PulledMessage[], run: Run): Promise<void> {
  const { clock, random } = run.options;
  const startedAt = clock.monotonicMs();
  const inAnyOrder = messages.map((message) => ({ message, at: random() })).toSorted((one, other) => one.at - other.at);
  for (const { message } of inAnyOrder) {
    if (run.goesOn() && clock.monotonicMs() - startedAt < messageLeaseMs / 3) await drainOne(drained, message, run);
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
async function settled(set: ReadonlySet<Promise<unknown>>): Promise<void> {
  while (set.size > 0) await Promise.all(set);
}

/**
 * Waits for messages that become due within the run's time, and for those that handlers under way may yet publish. Resolves
 * with whether there is something to take. `hasLooked`: false while others drain, who take what is due.
 */
async function becomesDue(run: Run, hasLooked: boolean): Promise<boolean> {
  const { clock, rights } = run.options;
  if (!run.goesOn()) return false;
  const waiting = await rights.beginWaiting(run.leftMs());
  if (waiting === null) return false;
  let isDue = false;
  let isMine = true;
  for (let mayTake = hasLooked; run.goesOn() && !isDue; mayTake = true) {
    const dueInMs = await waiting.look();
    isMine = dueInMs !== undefined;
    const isInTime = dueInMs !== null && dueInMs !== undefined && dueInMs < run.leftMs();
    isDue = isInTime && dueInMs <= 0 && mayTake;
    if (!isMine || isDue || (!isInTime && run.aside.size === 0)) break;
    const waitMs = isInTime && dueInMs > 0 ? Math.min(lookEveryMs, Math.ceil(dueInMs)) : lookEveryMs;
    isDue = await Promise.race([sleep(clock, waitMs).then(() => false), run.nudges.next().then(() => true)]);
  }
  if (isMine) await waiting.end();
  return isDue && run.goesOn();
}
