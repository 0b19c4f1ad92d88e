import { settleWithin, sleep } from "#platform/clock.ts";
import { describeCause } from "#platform/log.ts";

import {
  createRun,
  type Drained,
  drainMs,
  type DrainOptions,
  type DrainRight,
  type Nudges,
  type Run,
  type WaitingRight,
} from "./drain-run.ts";
import { countFree, settled, takeOnce } from "./take-once.ts";

/** Handlers that end within it are waited for before anybody waits for messages. */
const momentMs = 100;
/** Of the right to drain: a drain whose process has died keeps others off for so long. */
const rightMs = 10_000;
const keepEveryMs = 3_000;
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
  await settled(run.stored);
  await settled(run.aside);
  const { taken, failed, isDone } = run;
  if (taken > 0)
    log.info("drain.finished", { taken, failed, durationMs: Math.round(clock.monotonicMs() - run.startedAt) });
  return { taken, failed, isDone };
}

/**
 * Takes as long as something comes while it looks. Resolves with when a next look is due; undefined if that is not known, as
 * while others drain.
 */
async function drainOnce(run: Run): Promise<number | null | undefined> {
  run.nudges.look();
  const right = await run.options.rights.begin(rightMs, countFree(run));
  if (right === null) return undefined;
  while (await takeAll(run, right)) {
    const ended = await right.end();
    if (ended !== null) return ended.dueInMs;
    if (!(await right.keep(rightMs))) break;
    if (run.goesOn()) continue;
    await right.end();
    break;
  }
  return undefined;
}

/** Until the queues are empty or the run's time is over. False if the right was lost: then nothing is left to end. */
async function takeAll(run: Run, right: DrainRight): Promise<boolean> {
  const { clock } = run.options;
  let keptAt = clock.monotonicMs();
  let hasRight = true;
  run.empty.clear();
  // What came with the right is dealt with, also if the process is to stop since.
  for (let isFirst = true; isFirst || run.goesOn(); isFirst = false) {
    if (clock.monotonicMs() - keptAt > keepEveryMs) {
      hasRight = await right.keep(rightMs);
      if (!hasRight) break;
      keptAt = clock.monotonicMs();
      run.empty.clear();
    }
    const free = countFree(run);
    // At first what came with the right may be all that is taken, so a call since then is left for the next look.
    if (!isFirst && free > 0 && run.nudges.arePending()) {
      run.empty.clear();
      run.nudges.look();
    }
    if (free > 0 && ((await takeOnce(run, free, right.paused)) > 0 || run.nudges.arePending())) continue;
    if (run.active.size === 0 && free > 0) break;
    // What comes meanwhile nudges, or has another drain begin; with all places taken the first that is free is filled.
    const next = free > 0 ? [settled(run.active), run.nudges.next()] : [...run.active, ...run.aside];
    await settleWithin(clock, keepEveryMs, Promise.race(next));
    for (const drained of run.empty) if (drained.queue.isExact !== true) run.empty.delete(drained);
  }
  while (run.active.size > 0) {
    await settleWithin(clock, keepEveryMs, settled(run.active));
    hasRight &&= await right.keep(rightMs);
  }
  return hasRight;
}

/**
 * Waits for messages that become due within the run's time, and for those that handlers under way may yet publish. Resolves
 * with whether there is something to take. `dueInMs`: when a look is due, if it is known; it is not while others drain, who
 * take what is due.
 */
async function becomesDue(run: Run, dueInMs: number | null | undefined): Promise<boolean> {
  const { clock, rights } = run.options;
  if (!run.goesOn()) return false;
  // Most handlers end within a moment, and then nothing more can come of them.
  await settleWithin(clock, momentMs, settled(run.aside));
  if (run.nudges.arePending()) return run.goesOn();
  const isIdle = dueInMs !== undefined && run.aside.size === 0;
  run.isDone = isIdle && (dueInMs === null || dueInMs > drainMs);
  if (isIdle && (dueInMs === null || dueInMs > run.leftMs())) return false;
  const waiting = await rights.beginWaiting(run.leftMs(), run.aside.size > 0);
  return waiting !== null && (await waitFor(run, waiting, dueInMs !== undefined)) && run.goesOn();
}

/** Until a look is due, or nothing can become due any more, or another waits. `mayTake`: at the first look already. */
async function waitFor(run: Run, waiting: WaitingRight, mayTake: boolean): Promise<boolean> {
  const { clock } = run.options;
  let isDue = false;
  let isMine = true;
  for (let mayTakeNow = mayTake; run.goesOn() && !isDue; mayTakeNow = true) {
    const dueInMs = await waiting.look();
    isMine = dueInMs !== undefined;
    const isInTime = dueInMs !== null && dueInMs !== undefined && dueInMs < run.leftMs();
    isDue = isInTime && dueInMs <= 0 && mayTakeNow;
    if (!isMine || isDue || (!isInTime && run.aside.size === 0)) break;
    const waitMs = isInTime && dueInMs > 0 ? Math.min(lookEveryMs, Math.ceil(dueInMs)) : lookEveryMs;
    isDue = await Promise.race([sleep(clock, waitMs).then(() => false), run.nudges.next().then(() => true)]);
  }
  if (isMine) await waiting.end();
  return isDue;
}
