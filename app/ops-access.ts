import { createGuessLimit } from "#dashboard/guess-limit.ts";
import type { OpsAccess } from "#dashboard/ops-access.ts";
import { systemClock } from "#platform/clock.ts";
import { readEnv } from "#platform/env.ts";
import { isSealSpent, spendSeal } from "#store/spent-seals.ts";

import { log } from "./log.ts";
import { getDatabase } from "./services.ts";

/** One for the process, so that no route adds guesses to another's. */
const guesses = createGuessLimit();

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
    log,
  };
}

/** What is wrong with it is said elsewhere: signing in works without. */
function readRelayUrls(): readonly string[] {
  try {
    return readEnv(process.env, ["RELAY_URL"]).RELAY_URL;
  } catch {
    return [];
  }
}
