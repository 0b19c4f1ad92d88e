import { randomUUID } from "node:crypto";

import { createGuessLimit } from "#dashboard/access/guess-limit.ts";
import type { OpsAccess } from "#dashboard/access/ops-access.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { appendAudit, settleAudit } from "#store/operators/audit.ts";
import { endSession, isSessionOpen, saveSession } from "#store/operators/sessions.ts";
import { spendSeal } from "#store/operators/spent-seals.ts";
import { countWrongToken } from "#store/operators/wrong-tokens.ts";

import { createManualClock, type ManualClock } from "./manual-clock.ts";
import { createRecordingLog, type RecordingLog } from "./recording-log.ts";

export const opsToken = "the-ops-token-of-thirty-two-characters";

export interface TestAccess extends OpsAccess {
  clock: ManualClock;
  recording: RecordingLog;
}

/** What the rim passes in, with a clock that stands still and the rest in this database. */
export function createTestAccess(db: () => Database, options: Partial<OpsAccess> = {}): TestAccess {
  const recording = createRecordingLog();
  return {
    opsTokens: () => [{ name: "ops", role: "admin", token: opsToken }],
    relayUrls: [],
    tickets: { spend: async (ticket, nowMs) => spendSeal(db(), ticket, nowMs) },
    sessions: {
      save: async (session) => saveSession(db(), session),
      isOpen: async (id) => isSessionOpen(db(), id),
      end: async (id) => endSession(db(), id),
    },
    audit: {
      append: async (facts) => appendAudit(db(), facts),
      settle: async (id, end) => settleAudit(db(), id, end),
    },
    guesses: createGuessLimit({ share: async (client) => countWrongToken(db(), client), clock: systemClock }),
    newId: randomUUID,
    log: recording.log,
    ...options,
    clock: createManualClock(Date.parse("2026-01-31T12:00:00Z")),
    recording,
  };
}
