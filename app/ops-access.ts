import { createGuessLimit } from "#dashboard/guess-limit.ts";
import type { OpsAccess } from "#dashboard/ops-access.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { createLog, writeToConsole } from "#platform/log.ts";
import { isSealSpent, spendSeal } from "#store/spent-seals.ts";

import { getDatabase } from "./services.ts";

/** One for the process, so that all routes share their counts. */
const guesses = createGuessLimit();

/** What the routes and pages for operators are built on. */
export function createOpsAccess(): OpsAccess {
  return {
    opsToken: () => readEnv(process.env, ["OPS_TOKEN"]).OPS_TOKEN,
    relayUrls: readRelayUrls(),
    seals: {
      spend: async (seal, nowMs) => spendSeal(getDatabase().db, seal, nowMs),
      isSpent: async (id) => isSealSpent(getDatabase().db, id),
    },
    guesses,
    newId: () => crypto.randomUUID(),
    clock: systemClock,
    log: createLog({ clock: systemClock, write: writeToConsole }),
  };
}

/** Empty if RELAY_URL is malformed: other routes report that, and signing in works without it. */
function readRelayUrls(): readonly string[] {
  try {
    return readEnv(process.env, ["RELAY_URL"]).RELAY_URL;
  } catch {
    return [];
  }
}
