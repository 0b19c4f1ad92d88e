import { settleWithin, sleep } from "#platform/clock.ts";
import { describeCause } from "#platform/log.ts";

import { createRun, type Drained, type DrainOptions, type DrainRight, type Nudges, type Run } from "./drain-run.ts";
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
  await settled(run.aside);
  const { taken, failed } = run;
  if (taken > 0)
    log.info("drain.finished", { taken, failed, durationMs: Math.round(clock.monotonicMs() - run.startedAt) });
  return { taken, failed };
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
  run.empty.clear();
  while (run.goesOn()) {
    if (clock.monotonicMs() - keptAt > keepEveryMs) {
      hasRight = await right.keep(rightMs);
      if (!hasRight) break;
      keptAt = clock.monotonicMs();
      run.empty.clear();
    }
    const free = countFree(run);
    if (free > 0 && (await takeOnce(run, free, right.paused)) > 0) continue;
    if (run.active.size === 0 && free > 0) break;
    // What comes meanwhile nudges, or has another drain begin; with all places taken the first that is free is filled.
    const next = free > 0 ? [settled(run.active), run.nudges.next()] : [...run.active, ...run.aside];
    await settleWithin(clock, keepEveryMs, Promise.race(next));
    run.empty.clear();
  }
  while (run.active.size > 0) {
    await settleWithin(clock, keepEveryMs, settled(run.active));
    hasRight &&= await right.keep(rightMs);
  }
  return hasRight;
}

/**
 * Waits for messages that become due within the run's time, and for those that handlers under way may yet publish. Resolves
 * with whether there is something to take. `hasLooked`: false while others drain, who take what is due.
 */
async function becomesDue(run: Run, hasLooked: boolean): Promise<boolean> {
  const { clock, rights } = run.options;
  if (!run.goesOn()) return false;
  // Most handlers end within a moment, and then nothing more can come of them.
  await settleWithin(clock, momentMs, settled(run.aside));
  const waiting = await rights.beginWaiting(run.leftMs(), run.aside.size > 0);
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
