import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";

import type { GuessLimit } from "./guess-limit.ts";
import type { Seal } from "./ops-session.ts";

/** What decides who gets in; the rim fills it. */
export interface OpsAccess {
  /** Reads the token; throws `ENV_INVALID` if it is not set or too short. */
  opsToken(): string;
  /** The deployment's public addresses; empty where they are not configured. */
  relayUrls: readonly string[];
  /** Throws `STORE_UNAVAILABLE` while Postgres is down: no session is then known to be valid, so none is. */
  seals: {
    /** `false` if it was spent before. */
    spend(seal: Seal, nowMs: number): Promise<boolean>;
    isSpent(id: string): Promise<boolean>;
  };
  guesses: GuessLimit;
  newId(): string;
  clock: Clock;
  log: Log;
}
