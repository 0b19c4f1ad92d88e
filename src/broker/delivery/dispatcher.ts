import { type Clock, settleWithin } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { BrokerStore } from "../store/broker-store.ts";
import type { FlowControls } from "../store/flow-controls.ts";
import { countDeliveries } from "./count-deliveries.ts";
import { createGate } from "./gate.ts";
import { Lanes } from "./lanes.ts";
import type { Message } from "../message.ts";
import type { NewMessage } from "../store/message-rows.ts";
import type { Queues } from "../store/queues.ts";
import { createPlace, type InFlight, mayBegin, type Place } from "./place.ts";
import { createRepeater } from "./repeater.ts";

export interface DispatcherOptions {
  store: BrokerStore;
  flowControls: FlowControls;
  queues: Queues;
  /** One attempt and its settlement; resolves with the messages to expect because of it. Never rejects. */
  attempt: MakeAttempt;
  clock: Clock;
  log: Log;
}

export interface Expectation {
  lane: string;
  dueAtMs: number;
}

/** `isAborted` says whether the attempt ended because the broker stops; then nothing is recorded. */
export type MakeAttempt = (
  message: Message,
  abort: AbortController,
  isAborted: () => boolean,
) => Promise<Expectation[]>;

/** Delivers messages when they are due. It sleeps until the next one is: the database is not polled. */
export interface Dispatcher {
  /** Begins, with the messages that a crash left active. */
  start(): void;
  /** Says that a message of this lane is due at this time, now or later. */
  expect(expectation: Expectation): void;
  /**
   * A place for a message that may be delivered as soon as it is accepted; `undefined` if it has to wait for its time, for
   * others or for a limit. One of the place's functions has to be called.
   */
  takePlace(message: NewMessage): Place | undefined;
  /**
   * Applies changed limits, or the cancellation of a message. Resolves when they are in force: the broker has begun to
   * deliver all messages that it claimed under the former limits.
   */
  reconsider(queueName?: string): Promise<void>;
  /** Looks for due messages once more and resolves when those found are on their way. */
  round(): Promise<void>;
  /** How many deliveries are under way. */
  deliveries(): number;
  /**
   * Forgets empty lanes and reads from the database again which messages are due. So it finds a message whose commit
   * succeeded although the answer was lost.
   */
  refresh(): void;
  /** Starts no further deliveries and resolves when none runs; after `graceMs` they are aborted and left due. */
  stop(graceMs: number): Promise<void>;
}

type Phase =
  /** Before `start`. */
  | "waiting"
  /** After `start`: delivers messages. */
  | "running"
  /** After `stop`: starts no delivery and lets those under way end. */
  | "draining"
  /** After the grace time of `stop`: aborts the deliveries that are left. */
  | "aborting";

const storeRetryMs = 1000;
/** A timer holds at most 24.8 days, and the wall clock may be set; looking again each hour covers both. */
const sleepMsMax = 3_600_000;

/** Creates the dispatcher; it does nothing before `start`. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { store, flowControls, queues, clock, log } = options;
  const lanes = new Lanes(createGate({ flowControls, queues }));
  // By the claim, not by its id: a message may be claimed again before its last attempt is off the list.
  const inFlight: InFlight = new Map();
  const rounds = createRepeater(runRound);
  let phase: Phase = "waiting";
  /** Messages may be active without a delivery: after a crash, or when the answer to a claim was lost. */
  let hasOrphans = true;
  let wake = { atMs: Number.POSITIVE_INFINITY, cancel: () => {} };

  /** Wakes up at the given time at the latest. */
  function wakeAt(atMs: number): void {
    if (atMs >= wake.atMs || phase !== "running") return;
    wake.cancel();
    const delayMs = Math.min(Math.max(0, atMs - clock.nowMs()), sleepMsMax);
    const cancel = clock.after(delayMs, () => {
      wake.atMs = Number.POSITIVE_INFINITY;
      void rounds.request();
    });
    wake = { atMs, cancel };
  }

  async function runRound(): Promise<void> {
    if (phase !== "running") return;
    try {
      if (hasOrphans) await recover();
      const nowMs = clock.nowMs();
      lanes.wake(nowMs);
      await claimAndDeliver(nowMs);
      await lookAhead(nowMs);
      wakeAt(lanes.nextWakeAtMs(clock.nowMs()));
    } catch (thrown) {
      log.error("broker.store_failed", { during: "claim", ...describeCause(thrown) });
      hasOrphans = true;
      wakeAt(clock.nowMs() + storeRetryMs);
    }
  }

  async function recover(): Promise<void> {
    await store.releaseActive([...inFlight.keys()].map(({ messageId }) => messageId));
    for (const { lane, dueAtMs } of await store.readFirstDue()) lanes.learn(lane, dueAtMs, clock.nowMs());
    hasOrphans = false;
  }

  async function claimAndDeliver(nowMs: number): Promise<void> {
    const claims = lanes.plan(nowMs);
    if (claims.length === 0) return;
    const claimed: Message[] = [];
    try {
      const unqueued = claims.filter(({ queueName }) => queueName === null);
      if (unqueued.length > 0) claimed.push(...(await store.claimDue(nowMs, unqueued)));
      for (const claim of claims) {
        if (claim.queueName === null) continue;
        const queue = { name: claim.queueName, parallelism: queues.get(claim.queueName)?.parallelism ?? 1 };
        claimed.push(...(await store.claimTurn(nowMs, claim, queue)));
      }
    } catch (thrown) {
      for (const { lane } of claims) lanes.stillDue(lane);
      throw thrown;
    }
    // What was claimed too late is released by `stop`.
    if (phase !== "running") return;
    for (const message of claimed) {
      const abort = new AbortController();
      lanes.begin(message.lane, message.body.byteLength);
      inFlight.set(message, { ended: deliver(message, abort), abort });
    }
    for (const { lane, quota } of claims) {
      if (countIn(lane, claimed) === quota) lanes.stillDue(lane);
    }
    await countDeliveries(claimed, nowMs, options);
    goOn();
  }

  async function deliver(message: Message, abort: AbortController): Promise<void> {
    const expectations = await options.attempt(message, abort, () => phase === "aborting");
    inFlight.delete(message);
    lanes.end(message.lane, message.body.byteLength);
    for (const expectation of expectations) expect(expectation);
    goOn();
  }

  function goOn(): void {
    if (lanes.hasDue()) void rounds.request();
  }

  function takePlace(accepted: NewMessage): Place | undefined {
    // While messages may be active without a delivery they are released, and this one would be among them.
    if (phase !== "running" || hasOrphans || !mayBegin(accepted, lanes, clock.nowMs())) return undefined;
    return createPlace(accepted, {
      lanes,
      inFlight,
      isOpen: () => phase === "running",
      deliver,
      onFree: goOn,
      onLost: () => {
        hasOrphans = true;
        void rounds.request();
      },
    });
  }

  /**
   * Learns when the claimed lanes have their next message. What was due at the claim and was not claimed waits for its
   * turn in a queue: if it made its lane due again, the rounds would follow each other without a pause.
   */
  async function lookAhead(claimedAtMs: number): Promise<void> {
    const unread = lanes.takeUnread();
    if (unread.length === 0) return;
    const next = await store.readNextDue(claimedAtMs, unread);
    for (const { lane, dueAtMs } of next) lanes.learn(lane, dueAtMs, clock.nowMs());
    goOn();
  }

  function expect({ lane, dueAtMs }: Expectation): void {
    const nowMs = clock.nowMs();
    lanes.expect(lane, dueAtMs, nowMs);
    if (dueAtMs > nowMs) wakeAt(dueAtMs);
    else if (phase === "running") void rounds.request();
  }

  return {
    start() {
      if (phase !== "waiting") return;
      phase = "running";
      void rounds.request();
    },
    expect,
    takePlace,
    reconsider(queueName) {
      lanes.openQueues(queueName);
      return rounds.request();
    },
    round: () => rounds.request(),
    deliveries: () => lanes.deliveries(),
    refresh() {
      lanes.prune();
      hasOrphans = true;
      void rounds.request();
    },
    async stop(graceMs) {
      phase = "draining";
      wake.cancel();
      await rounds.idle();
      const running = [...inFlight.values()];
      const allEnded = Promise.all(running.map(({ ended }) => ended));
      await settleWithin(clock, graceMs, allEnded);
      phase = "aborting";
      for (const { abort } of running) abort.abort(new Error("the broker stops"));
      await allEnded;
      await store.releaseActive([]).catch((thrown: unknown) => {
        log.error("broker.store_failed", { during: "release", ...describeCause(thrown) });
      });
    },
  };
}

function countIn(lane: string, messages: readonly Message[]): number {
  return messages.filter((message) => message.lane === lane).length;
}
