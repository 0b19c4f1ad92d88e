import { createGuessLimit } from "#dashboard/guess-limit.ts";
import type { OpsAccess } from "#dashboard/ops-access.ts";
import { readOpsTokens } from "#dashboard/read-ops-tokens.ts";
import { readRelayUrls } from "#platform/relay-urls.ts";
import { isSealSpent, spendSeal } from "#store/spent-seals.ts";

import { clock, log } from "./log.ts";
import { getDatabase, getReads } from "./services.ts";

/** One for the process, so that all routes share their counts. */
const guesses = createGuessLimit();

/** What the routes and pages for operators are built on. */
export function createOpsAccess(): OpsAccess {
  return {
    opsTokens: () => readOpsTokens(process.env),
    relayUrls: readRelayUrls(process.env),
    seals: {
      spend: async (seal, nowMs) => spendSeal(getDatabase(), seal, nowMs),
      isSpent: async (id) => isSealSpent(getReads(), id),
    },
    guesses,
    newId: () => crypto.randomUUID(),
    clock,
    log,
  };
}
