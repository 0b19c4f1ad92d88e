import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { OpsToken } from "#platform/ops-token.ts";

import type { GuessLimit } from "./guess-limit.ts";
import type { Seal } from "./ops-session.ts";

/** What signing in and the ops routes are built on; `app` creates it. */
export interface OpsAccess {
  /** Reads the tokens; throws `ENV_INVALID` as `readOpsTokens` does. */
  opsTokens(): readonly OpsToken[];
  /** The deployment's public addresses; empty where they are not configured. */
  relayUrls: readonly string[];
  /** Used tickets and ended sessions. Both throw `STORE_UNAVAILABLE` while Postgres is down. */
  seals: {
    /** Records that the seal is used up; false if it was before. */
    spend(seal: Seal, nowMs: number): Promise<boolean>;
    isSpent(id: string): Promise<boolean>;
  };
  guesses: GuessLimit;
  /** A random UUID. */
  newId(): string;
  clock: Clock;
  log: Log;
}
