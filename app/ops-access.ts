import { createGuessLimit } from "#dashboard/access/guess-limit.ts";
import type { OpsAccess } from "#dashboard/access/ops-access.ts";
import { readOpsTokens } from "#dashboard/access/read-ops-tokens.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import { appendAudit, settleAudit } from "#store/operators/audit.ts";
import { endSession, isSessionOpen, saveSession } from "#store/operators/sessions.ts";
import { spendSeal } from "#store/operators/spent-seals.ts";
import { countWrongToken } from "#store/operators/wrong-tokens.ts";

import { getDatabase, getReads } from "./database.ts";
import { clock, log } from "./log.ts";

/** One for the process, so that all routes share their counts. */
const guesses = createGuessLimit({ share: async (client) => countWrongToken(getDatabase(), client), clock });

/** What the routes and pages for operators are built on. */
export function createOpsAccess(): OpsAccess {
  return {
    opsTokens: () => readOpsTokens(process.env),
    relayUrls: readRelayUrls(process.env),
    tickets: { spend: async (ticket, nowMs) => spendSeal(getDatabase(), ticket, nowMs) },
    sessions: {
      save: async (session) => saveSession(getDatabase(), session),
      isOpen: async (id) => isSessionOpen(getReads(), id),
      end: async (id) => endSession(getDatabase(), id),
    },
    audit: {
      append: async (facts) => appendAudit(getDatabase(), facts),
      settle: async (id, end) => settleAudit(getDatabase(), id, end),
    },
    guesses,
    newId: () => crypto.randomUUID(),
    clock,
    log,
  };
}
