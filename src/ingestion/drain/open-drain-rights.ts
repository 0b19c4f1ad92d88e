import type { Database } from "#store/connection/database.ts";
import {
  beginDrain,
  beginWaiting,
  endDrain,
  endWaiting,
  keepDrain,
  lookWhileWaiting,
} from "#store/queue/queue-drains.ts";

import { messageLeaseMs } from "./drain-messages.ts";
import type { DrainRights } from "./drain-run.ts";
import type { PostgresQueue } from "./postgres-queue.ts";

/**
 * The rights as Postgres gives them. `table`: the queue whose messages are taken as a drain begins, and deleted as it ends, by
 * the same statements; null if none of the drain's queues lies in this database.
 */
export function openDrainRights(db: Database, table: PostgresQueue | null): DrainRights {
  return {
    async begin(leaseMs, countMax) {
      const first = { countMax: table === null ? 0 : countMax, leaseMs: messageLeaseMs };
      const begun = await beginDrain(db, leaseMs, first);
      if (begun === null) return null;
      const { messages, ...drain } = begun;
      table?.hold(messages, messages.length < first.countMax);
      let held = drain;
      return {
        get paused() {
          return held.paused;
        },
        async keep(forMs) {
          const kept = await keepDrain(db, held, forMs);
          held = kept ?? held;
          return kept !== null;
        },
        end: () => (table === null ? endDrain(db, held) : table.removeWith((receipts) => endDrain(db, held, receipts))),
      };
    },
    async beginWaiting(untilMs, isSure) {
      const leaseId = await beginWaiting(db, untilMs, isSure);
      return leaseId === null
        ? null
        : { look: () => lookWhileWaiting(db, leaseId), end: () => endWaiting(db, leaseId) };
    },
  };
}
