import type { Handlers } from "#handlers/handler.ts";
import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { Database } from "#store/connection/database.ts";

import { leaseEvents } from "#store/handling/lease-events.ts";
import type { HandlerResult, LeasedEvent } from "#store/handling/leased-event.ts";
import { releaseDueEvents } from "#store/handling/open-work.ts";
import type { Trace } from "#tracing/trace.ts";

import { createHandlerDatabase } from "./handler-database.ts";
import { createHandlerResults } from "./handler-results.ts";
import { budgetMsFor, type Lease, leaseMsFor, startLease } from "./lease.ts";
import { createResultMaker } from "./make-result.ts";
import { orderConversations } from "./order-conversations.ts";
import type { ProcessWork } from "./process-work.ts";
import { publishHandlers } from "./publish-handlers.ts";
import { runEventHandler } from "./run-event-handler.ts";
import type { Settle } from "./settlement-queue.ts";

/** What every run of handlers needs. */
export interface RunHandlersOptions {
  db: Database;
  /** Into the same database; shared by all runs of the process. */
  settle: Settle;
  handlers: Handlers;
  /** The limit for one event's handler. */
  handlerTimeoutMs: number;
  /** Conversations handled at the same time. */
  concurrency: number;
  /** Attempts after the first. */
  retries: number;
  publisher: MessagePublisher;
  work: ProcessWork;
  /** The build that runs; null if it has no name. */
  deployment: string | null;
  /** Whether the text of a message goes when it is unsent; by default it does. */
  unsentMessages?: "erase" | "keep";
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  newId: () => string;
  log: Log;
  trace: Trace;
}

/** What one run has to do. */
export interface HandlersToRun {
  leased: readonly LeasedEvent[];
  /** Of all in `leased`. */
  lease: Lease;
  /** Events whose process has died before: they are leased one at a time. */
  deathIds: readonly number[];
  replayId: string | null;
  /** The queue's message that caused the run. */
  messageId: string | null;
}

/** How many events' handlers succeeded, failed, did not begin, run in another process now, or have unknown results. */
export interface HandlersResult {
  handled: number;
  failed: number;
  released: number;
  lost: number;
  unsettled: number;
}

/** After a run in which nothing could begin the next one waits, so that a slow database is not asked in a circle. */
const idleDelayMs = 10_000;
/** How much later than its time a message may come before maintenance publishes another one. */
const queuedGraceMs = 2 * 60_000;

/**
 * Runs the handlers of leased events: conversations side by side, those with the fewest attempts first, and the events of
 * one conversation one after another. Results are stored at least every second. What failed, and what did not begin
 * within 50 s or before the lease became too short, is published for `/api/qstash/handlers`. An event whose process has
 * died before runs alone and after the others; after the second death it is a dead letter. Never rejects.
 */
export async function runEventHandlers(toRun: HandlersToRun, options: RunHandlersOptions): Promise<HandlersResult> {
  const { db, settle, handlerTimeoutMs, work, deployment, clock, log } = options;
  const { messageId, replayId, deathIds } = toRun;
  const startedAt = clock.monotonicMs();
  const total = { handled: 0, failed: 0, released: 0 };
  const make = createResultMaker({ ...options, queuedGraceMs });
  const results = createHandlerResults({
    settle: (stored, counts) => settle({ results: stored, counts, deployment, messageId }),
    onStored: (stored) => publishStored(stored, options),
    clock,
    log,
  });

  const leftMs = () => budgetMsFor(handlerTimeoutMs) - (clock.monotonicMs() - startedAt);
  const mayBegin = (lease: Lease) => leftMs() > 0 && !work.stopping.aborted && lease.lasts(handlerTimeoutMs);
  let hasBegun = false;

  const run = async (event: LeasedEvent, lease: Lease) => {
    if (event.deaths >= deathsMax) {
      total.failed += 1;
      const result = make.deadly(event, clock.nowMs());
      results.add({ result, counts: new Map() });
      log.error("handler.failed", { ...factsOf(result.event), cause: "HandlerEndedProcess" });
    } else if (mayBegin(lease)) {
      hasBegun = true;
      const atMs = clock.nowMs();
      const begunAt = clock.monotonicMs();
      const openDatabase = (signal: AbortSignal) => createHandlerDatabase(db, signal, clock);
      const outcome = await runEventHandler(event, { ...options, timeoutMs: handlerTimeoutMs, openDatabase });
      total[outcome.handled ? "handled" : "failed"] += 1;
      const result = make.ended(event, outcome, { atMs, ms: clock.monotonicMs() - begunAt });
      results.add({ result, counts: outcome.handled ? outcome.counts : new Map() });
    } else {
      total.released += 1;
      const result = make.released(event, clock.nowMs(), hasBegun ? 0 : idleDelayMs);
      results.add({ result, counts: new Map() });
    }
  };

  /** A message that names one event leases it even if it may end the process. */
  const runInTurn = async (event: LeasedEvent, lease: Lease) => {
    if (event.deaths === 0) return run(event, lease);
    const leave = await work.suspects.enter(suspectWaitMs);
    await run(event, leave === null ? { ...lease, lasts: () => false } : lease);
    leave?.();
  };

  const waiting = orderConversations(toRun.leased).values();
  const runNext = async () => {
    for (const conversation of waiting) for (const event of conversation) await runInTurn(event, toRun.lease);
  };
  await Promise.all(Array.from({ length: options.concurrency }, runNext));
  if (deathIds.length > 0) {
    await results.store();
    await publishLeft(await runSuspects());
  }
  return { ...total, ...(await results.finish()) };

  /** Runs the handlers of events that may end the process, one at a time; returns those that could not even be leased. */
  async function runSuspects(): Promise<number[]> {
    for (const [index, id] of deathIds.entries()) {
      const leave = leftMs() > 0 && !work.stopping.aborted ? await work.suspects.enter(leftMs()) : null;
      if (leave === null) return deathIds.slice(index);
      try {
        const lease = startLease(clock, leaseMsFor(1, handlerTimeoutMs));
        const { leased } = await leaseEvents(db, [id], { leaseMs: lease.leaseMs, replayId });
        for (const event of leased) await run(event, lease);
        // The next one may end the process.
        await results.store();
      } catch (thrown) {
        log.warn("handlers.lease_failed", describeCause(thrown));
        return deathIds.slice(index);
      } finally {
        leave();
      }
    }
    return [];
  }

  async function publishLeft(eventIds: readonly number[]): Promise<void> {
    total.released += eventIds.length;
    await publishHandlers({ eventIds, delayMs: idleDelayMs, replay: replayId }, options);
  }
}

/** Less than a lease's margin: beyond it the handler could not begin anyway. */
const suspectWaitMs = 1_000;
/** So many times an event's handler may have ended its process. */
const deathsMax = 2;

function factsOf({ deliveryId, key, kind, attempt }: LeasedEvent) {
  return { deliveryId, key, kind, attempt };
}

/** Publishes the next attempts, one message for each delay. */
async function publishStored(stored: readonly HandlerResult[], options: RunHandlersOptions): Promise<void> {
  const byTime = new Map<string, { eventIds: number[]; delayMs: number; replay: string | null }>();
  for (const { event, outcome, retryInMs = 0 } of stored) {
    if (outcome !== "failed" && outcome !== "released") continue;
    const replay = event.replay?.id ?? null;
    const name = JSON.stringify([retryInMs, replay]);
    const group = byTime.get(name) ?? { eventIds: [], delayMs: retryInMs, replay };
    byTime.set(name, group);
    group.eventIds.push(event.id);
  }
  const failed = (await Promise.all([...byTime.values()].map((group) => publishHandlers(group, options)))).flat();
  if (failed.length === 0) return;
  try {
    await releaseDueEvents(options.db, failed);
  } catch (thrown) {
    // Maintenance finds them later, when `queued_until` is over.
    options.log.warn("handlers.publish_failed", { events: failed.length, ...describeCause(thrown) });
  }
}
