import { describeCause } from "#platform/log.ts";
import { encodeHandlersMessage } from "#queue/handlers-message.ts";
import { resolveIngestedLetters } from "#store/dead-letters/dead-letters.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";
import { takeReplayEvents } from "#store/replays/replay-events.ts";
import { releaseReplayLetters, takeReplayLetters } from "#store/replays/replay-letters.ts";
import { readProgress } from "#store/replays/replay-progress.ts";
import { passReplayOn, type Replay, takeReplay } from "#store/replays/replays.ts";

import { finishReplay, stopReplay } from "./end-replay.ts";
import { type Operations, publishTimeoutMs } from "./operations.ts";
import { canarySize, type Pace, paceOf } from "./replay-pace.ts";
import { publishStep, type StepMessage } from "./replay-step.ts";

/**
 * One step of a running replay: publishes what its pace allows, or waits, or ends it; then has the queue call for the next one.
 * A message that came before, or for a replay that has ended, does nothing. `isRetry`: the queue has delivered it before. Throws
 * `STORE_UNAVAILABLE`; then the queue delivers it again, and maintenance finds a replay that nothing advances any more.
 */
export async function advanceReplay(
  { replay: id, heartbeat }: StepMessage,
  isRetry: boolean,
  operations: Operations,
): Promise<Record<string, unknown>> {
  const { db, log } = operations;
  const replay = await takeReplay(db, id, { heartbeatAtMs: heartbeat, isRetry });
  if (replay === undefined) return { replay: id, advanced: false };
  const delayMs = await step(replay, operations);
  if (delayMs === null) return { replay: id, advanced: true, ended: true };
  const next = await passReplayOn(db, replay);
  if (next === undefined) return { replay: id, advanced: true, ended: false };
  try {
    await publishStep(next, delayMs, operations);
  } catch (thrown) {
    log.error("replay.failed", { replayId: id, ...describeCause(thrown) });
  }
  return { replay: id, advanced: true, ended: false };
}

/** In how many milliseconds the next step is due; null if there is none. */
async function step(replay: Replay, operations: Operations): Promise<number | null> {
  const { db, log } = operations;
  const pace = paceOf(replay.ratePerMinute);
  if (replay.cursor < 0) {
    const letters = await takeReplayLetters(db, replay, canarySize);
    if (letters === undefined) return null;
    if (letters.length > 0)
      return (await publishLetters(letters, operations)) ? pace.stepMs : waitMs(replay, operations);
  }
  await resolveIngestedLetters(db);
  const { events, batches } = await readProgress(db, replay);
  const tried = events.done + events.failed;
  const isAllTaken = replay.cursor >= replay.eventIdMax;
  // Two steps' worth waits: the handlers are slower than the pace.
  const isSlow = events.pending > 2 * pace.messagesPerStep * pace.eventsPerMessage;
  const isCanary = tried + events.pending > 0 && tried <= canarySize;
  if (isSlow || (isCanary && events.pending > 0)) return waitMs(replay, operations);
  if (isCanary && !isAllTaken && events.failed * 2 > tried) {
    const because = `${events.failed} of the first ${tried} events failed`;
    await stopReplay(replay, because, operations);
    return null;
  }
  if (!isAllTaken) {
    const reached = await publishEvents(replay, pace, tried, operations);
    log.debug("replay.step_finished", { replayId: replay.id, tried, reached });
    return reached === "more" && tried > 0 ? pace.stepMs : waitMs(replay, operations);
  }
  if (events.pending > 0 || (batches.pending > 0 && !isOverdue(replay, operations))) return waitMs(replay, operations);
  await finishReplay(replay, operations);
  return null;
}

/** A batch that was published is ingested within the queue's retries, or has failed; its message may have been lost, too. */
function isOverdue({ startedAtMs, plan }: Replay, { clock }: Operations): boolean {
  const { estimatedMs = 0 } = plan as { estimatedMs?: number };
  return clock.nowMs() > (startedAtMs ?? 0) + estimatedMs + 15 * 60_000;
}

/** Few handlers take longer, and the first events show whether to go on. */
const firstWaitMs = 2_000;

/** The longer a replay has run, the less often it is looked at: 2 s to a minute. */
function waitMs({ startedAtMs }: Replay, { clock }: Operations): number {
  return Math.min(60_000, Math.max(firstWaitMs, (clock.nowMs() - (startedAtMs ?? 0)) / 20));
}

/** Of a set whose events are handled elsewhere a step takes no more than so many times a message's worth. */
const roundsMax = 100;

/** How far it came. `refused`: by the queue, a message, whose events are due, so that maintenance publishes them. */
async function publishEvents(
  replay: Replay,
  pace: Pace,
  tried: number,
  { db, publisher, reclassify, log }: Operations,
): Promise<"more" | "end" | "refused"> {
  const [messages, limit] = tried === 0 ? [1, canarySize] : [pace.messagesPerStep, pace.eventsPerMessage];
  for (let published = 0, round = 0; published < messages && round < roundsMax; round += 1) {
    const taken = await takeReplayEvents(db, replay, { limit, reclassify });
    if (taken === undefined) return "end";
    const { eventIds, isEnd } = taken;
    if (isEnd && eventIds.length === 0) return "end";
    if (eventIds.length === 0) continue;
    const flowControl = { ...pace.flowControl, delayMs: (published * pace.stepMs) / messages };
    published += 1;
    try {
      const body = encodeHandlersMessage({ eventIds, replay: replay.id });
      const message = { to: "handlers" as const, body, flowControl, label: "replay", retries: 3 };
      await publisher.publish(message, publishTimeoutMs);
    } catch (thrown) {
      log.warn("handlers.publish_failed", { replayId: replay.id, events: eventIds.length, ...describeCause(thrown) });
      await releaseDueEvents(db, eventIds);
      return "refused";
    }
    if (isEnd) return "end";
  }
  return "more";
}

/** False if the queue refused one: from there on the batches count as failed, and another replay can take them. */
async function publishLetters(
  letters: readonly { id: number; body: string }[],
  { db, publisher, log }: Operations,
): Promise<boolean> {
  for (const [index, { id, body }] of letters.entries()) {
    try {
      const message = { to: "instagram-ingestion" as const, body, label: "instagram", retries: 2 };
      await publisher.publish(message, publishTimeoutMs);
    } catch (thrown) {
      log.warn("replay.failed", { deadLetter: id, ...describeCause(thrown) });
      const left = letters.slice(index).map((letter) => letter.id);
      await releaseReplayLetters(db, left);
      return false;
    }
  }
  return true;
}
