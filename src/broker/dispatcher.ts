import { type Clock, settleWithin, sleep } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { BrokerStore, Settlement } from "./broker-store.ts";
import { createCallbacks } from "./callbacks.ts";
import type { Deliver } from "./delivery.ts";
import type { Message } from "./message.ts";
import { judge } from "./verdict.ts";

export interface DispatcherOptions {
  store: BrokerStore;
  deliver: Deliver;
  clock: Clock;
  newId: () => string;
  log: Log;
}

/** Delivers messages when they are due. It sleeps until the next one is: the database is not polled. */
export interface Dispatcher {
  /** Begins, with the messages that a crash left active. */
  start(): void;
  /** Says that a message is due at this time, now or later. */
  expect(dueAtMs: number): void;
  /** Starts no further deliveries and resolves when none runs; after `graceMs` they are aborted and left due. */
  stop(graceMs: number): Promise<void>;
}

const concurrency = 16;
const storeRetryMs = 1000;
/** A timer holds at most 24.8 days, and the wall clock may be set; looking again each hour covers both. */
const sleepMsMax = 3_600_000;

export function createDispatcher({ store, deliver, clock, newId, log }: DispatcherOptions): Dispatcher {
  // By the claim, not by its id: a message may be claimed again before its last attempt is off the list.
  const inFlight = new Map<Message, { ended: Promise<void>; abort: AbortController }>();
  let started = false;
  let stopped = false;
  /** The grace time is over: what fails now fails because it was aborted. */
  let aborting = false;

  let round: Promise<void> = Promise.resolve();
  let roundRuns = false;
  let anotherRound = false;
  /** More may be due than there was room for. */
  let backlog = false;
  /** Messages may be active that nobody delivers: after a crash, or when the answer to a claim was lost. */
  let orphans = true;
  /** The next due time is known to nobody but the database. */
  let lookAhead = true;

  let wakeAtMs = Number.POSITIVE_INFINITY;
  let cancelWake: (() => void) | undefined;

  function expect(dueAtMs: number): void {
    const delayMs = dueAtMs - clock.nowMs();
    if (delayMs <= 0) startRound();
    else if (dueAtMs < wakeAtMs && !stopped) {
      cancelWake?.();
      wakeAtMs = dueAtMs;
      cancelWake = clock.after(Math.min(delayMs, sleepMsMax), () => {
        wakeAtMs = Number.POSITIVE_INFINITY;
        lookAhead = true;
        startRound();
      });
    }
  }

  function startRound(): void {
    if (!started) return;
    anotherRound = !stopped;
    if (!roundRuns && !stopped) round = runRounds();
  }

  async function runRounds(): Promise<void> {
    roundRuns = true;
    while (anotherRound) {
      anotherRound = false;
      try {
        await claimAndDeliver();
      } catch (thrown) {
        log.error("broker.store_failed", { during: "claim", ...describeCause(thrown) });
        orphans = true;
        expect(clock.nowMs() + storeRetryMs);
      }
    }
    roundRuns = false;
  }

  async function claimAndDeliver(): Promise<void> {
    if (orphans) {
      await store.releaseActive([...inFlight.keys()].map(({ messageId }) => messageId));
      orphans = false;
      lookAhead = true;
    }
    const room = concurrency - inFlight.size;
    backlog = room === 0;
    if (backlog) return;
    const claimed = await store.claimDue(clock.nowMs(), room);
    // What was claimed too late is released by `stop`.
    if (stopped) return;
    for (const message of claimed) {
      const abort = new AbortController();
      inFlight.set(message, { ended: deliverOnce(message, abort), abort });
    }
    if (claimed.length === room) {
      backlog = true;
    } else if (lookAhead) {
      lookAhead = false;
      const nextDueAtMs = await store.readNextDueAtMs();
      // Due by now: the round that takes it has to look ahead in its turn, or nobody knows of those behind it.
      if (nextDueAtMs !== undefined && nextDueAtMs <= clock.nowMs()) lookAhead = true;
      if (nextDueAtMs !== undefined) expect(nextDueAtMs);
    }
  }

  async function deliverOnce(message: Message, abort: AbortController): Promise<void> {
    const { messageId, retried } = message;
    const startedMs = clock.monotonicMs();
    log.info("broker.delivery_started", { messageId, retried });
    const attempt = await deliver(message, abort);
    if (!aborting || attempt.response !== null) {
      const atMs = clock.nowMs();
      const verdict = judge(message, attempt, atMs);
      const callbacks = createCallbacks({ message, attempt, verdict, atMs, newId });
      const settled = await settle({ message, attempt, verdict, atMs, callbacks });
      const status = attempt.response?.status ?? null;
      log.info("broker.delivery_finished", {
        messageId,
        retried,
        status,
        state: verdict.state,
        durationMs: Math.round(clock.monotonicMs() - startedMs),
      });
      if (settled && verdict.state === "dead") log.warn("broker.dead_letter", { messageId, retried, status });
      if (verdict.state === "waiting") expect(verdict.dueAtMs);
      if (callbacks.length > 0) expect(atMs);
    }
    inFlight.delete(message);
    if (backlog) startRound();
  }

  /** Tries until the database takes it: a delivery that is not recorded would be made again. */
  async function settle(settlement: Settlement): Promise<boolean> {
    for (;;) {
      try {
        return await store.settle(settlement);
      } catch (thrown) {
        log.error("broker.store_failed", { during: "settle", ...describeCause(thrown) });
        if (aborting) return false;
        await sleep(clock, storeRetryMs);
      }
    }
  }

  return {
    start() {
      started = true;
      startRound();
    },
    expect,
    async stop(graceMs) {
      stopped = true;
      anotherRound = false;
      cancelWake?.();
      await round;
      const running = [...inFlight.values()];
      const allEnded = Promise.all(running.map(({ ended }) => ended));
      await settleWithin(clock, graceMs, allEnded);
      aborting = true;
      for (const { abort } of running) abort.abort(new Error("the broker stops"));
      await allEnded;
      await store.releaseActive([]).catch((thrown: unknown) => {
        log.error("broker.store_failed", { during: "release", ...describeCause(thrown) });
      });
    },
  };
}
