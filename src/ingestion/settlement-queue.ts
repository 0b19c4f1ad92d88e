import { type Clock, settleWithin } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { isLockedOut, isStoreUnavailable } from "#store/connection/store-error.ts";
import { areFirstSuccesses, settleEvents, type Settlement, settleTogether } from "#store/handling/settle-events.ts";

/** Stores how leases ended, as `settleEvents` does. Rejects with what that throws. */
export type Settle = (settlement: Settlement) => Promise<{ lost: number[] }>;

/** A statement that has no answer for so long holds up no other: its connection may be silent. */
const holdMsMax = 500;

interface Waiting {
  settlement: Settlement;
  resolve: (settled: { lost: number[] }) => void;
  reject: (thrown: unknown) => void;
}

/**
 * Lets the runs of a process share statements, and so commits: while one with first successes is under way, those of other
 * runs wait and go together in the next. Nothing waits while none is under way. One that Postgres refuses, or whose row
 * another transaction holds, does not keep the others from being stored.
 */
export function createSettlementQueue(db: Database, clock: Clock): Settle {
  let waiting: Waiting[] = [];
  let isSending = false;

  const sendAll = async () => {
    isSending = true;
    while (waiting.length > 0) {
      const together = waiting;
      waiting = [];
      await settleWithin(clock, holdMsMax, send(together));
    }
    isSending = false;
  };

  /** Never rejects. */
  const send = async (together: readonly Waiting[]): Promise<void> => {
    if (together.length > 1) {
      try {
        await settleTogether(
          db,
          together.map(({ settlement }) => settlement),
        );
        for (const { resolve } of together) resolve({ lost: [] });
        return;
      } catch (thrown) {
        if (isStoreUnavailable(thrown) && !isLockedOut(thrown)) {
          for (const { reject } of together) reject(thrown);
          return;
        }
      }
    }
    await Promise.all(
      together.map(({ settlement, resolve, reject }) => settleEvents(db, settlement).then(resolve, reject)),
    );
  };

  return (settlement) => {
    if (!areFirstSuccesses(settlement.results)) return settleEvents(db, settlement);
    return new Promise((resolve, reject) => {
      waiting.push({ settlement, resolve, reject });
      if (!isSending) void sendAll();
    });
  };
}
