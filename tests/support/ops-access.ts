import { randomUUID } from "node:crypto";

import { createGuessLimit } from "#dashboard/guess-limit.ts";
import type { OpsAccess } from "#dashboard/ops-access.ts";
import type { Database } from "#store/database.ts";
import { isSealSpent, spendSeal } from "#store/spent-seals.ts";

import { createManualClock, type ManualClock } from "./manual-clock.ts";
import { createRecordingLog, type RecordingLog } from "./recording-log.ts";

export const opsToken = "the-ops-token-of-thirty-two-characters";

export interface TestAccess extends OpsAccess {
  clock: ManualClock;
  recording: RecordingLog;
}

/** What the rim passes in, with a clock that stands still and the seals in this database. */
export function createTestAccess(db: () => Database, options: Partial<OpsAccess> = {}): TestAccess {
  const recording = createRecordingLog();
  return {
    opsTokens: () => [{ name: "ops", role: "admin", token: opsToken }],
    relayUrls: [],
    seals: {
      spend: async (seal, nowMs) => spendSeal(db(), seal, nowMs),
      isSpent: async (id) => isSealSpent(db(), id),
    },
    guesses: createGuessLimit(),
    newId: randomUUID,
    log: recording.log,
    ...options,
    clock: createManualClock(Date.parse("2026-01-31T12:00:00Z")),
    recording,
  };
}
