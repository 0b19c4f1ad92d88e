import type { Database } from "#store/database.ts";
import { beginDrain, beginWaiting, endDrain, endWaiting, keepDrain, lookWhileWaiting } from "#store/queue-drains.ts";

import type { DrainRights } from "./drain-run.ts";

/** The rights as Postgres gives them. */
export function openDrainRights(db: Database): DrainRights {
  return {
    async begin(leaseMs) {
      let drain = await beginDrain(db, leaseMs);
      if (drain === null) return null;
      let held = drain;
      return {
        get paused() {
          return held.paused;
        },
        async keep(forMs) {
          drain = await keepDrain(db, held, forMs);
          held = drain ?? held;
          return drain !== null;
        },
        end: () => endDrain(db, held),
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
