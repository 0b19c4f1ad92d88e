import { type Clock, sleep } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

import type { BrokerStore } from "../store/broker-store.ts";
import type { Settlement } from "../store/settlement.ts";
import { createCallbacks } from "./callbacks.ts";
import { isDataError } from "../store/database.ts";
import type { Deliver } from "./delivery.ts";
import type { Expectation, MakeAttempt } from "./dispatcher.ts";
import { laneOf } from "../lane.ts";
import type { Limits } from "../limits.ts";
import type { RecentDeliveries } from "./recent-deliveries.ts";
import { judge } from "./verdict.ts";

export interface AttemptOptions {
  store: BrokerStore;
  deliver: Deliver;
  recent: RecentDeliveries;
  limits: Limits;
  clock: Clock;
  newId: () => string;
  log: Log;
}

const storeRetryMs = 1000;

/** Delivers a message once, judges the outcome and records it with the callbacks that it gives rise to. */
export function createAttempt({ store, deliver, recent, limits, clock, newId, log }: AttemptOptions): MakeAttempt {
  /**
   * Tries until the database takes it: the broker would repeat a delivery that is not recorded. Resolves with what was
   * recorded; `undefined` if the message was cancelled in the meantime, or if the broker stops.
   */
  async function settle(settlement: Settlement, isAborted: () => boolean): Promise<Settlement | undefined> {
    for (;;) {
      try {
        return (await store.settle(settlement)) ? settlement : undefined;
      } catch (thrown) {
        log.error("broker.store_failed", { during: "settle", ...describeCause(thrown) });
        if (isAborted()) return undefined;
        if (isDataError(thrown) && settlement.attempt !== unstorable) settlement = withoutItsData(settlement);
        else await sleep(clock, storeRetryMs);
      }
    }
  }

  return async (message, abort, isAborted) => {
    const { messageId, retried } = message;
    const startedMs = clock.monotonicMs();
    log.debug("broker.delivery_started", { messageId, retried });
    const attempt = await deliver(message, abort);
    if (isAborted() && attempt.response === null) return [];
    const atMs = clock.nowMs();
    const verdict = judge(message, attempt, atMs, limits);
    const callbacks = createCallbacks({ message, attempt, verdict, atMs, newId });
    const settled = await settle({ message, attempt, verdict, atMs, callbacks }, isAborted);
    const status = attempt.response?.status ?? null;
    log.info("broker.delivery_finished", {
      messageId,
      retried,
      status,
      state: settled?.verdict.state ?? "unrecorded",
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
    if (!settled) return [];
    if (settled.verdict.state === "dead") log.warn("broker.dead_letter", { messageId, retried, status });
    if (settled.verdict.state === "delivered") recent.add(message);
    return expectationsOf(settled);
  };
}

function expectationsOf({ message, verdict, callbacks, atMs }: Settlement): Expectation[] {
  return [
    ...(verdict.state === "waiting" ? [{ lane: message.lane, dueAtMs: verdict.dueAtMs }] : []),
    ...callbacks.map((callback) => ({ lane: laneOf(callback), dueAtMs: atMs })),
  ];
}

const unstorable: Settlement["attempt"] = {
  response: null,
  error: "the outcome of the last attempt could not be stored",
};

/**
 * The message ends as dead, without callbacks and without the response. The database would refuse the same data again,
 * so another try would only keep the slot.
 */
function withoutItsData(settlement: Settlement): Settlement {
  return { ...settlement, verdict: { state: "dead" }, callbacks: [], attempt: unstorable };
}
