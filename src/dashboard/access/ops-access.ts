import type { AuditTrail } from "#operations/audit.ts";
import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { OpsToken } from "#platform/ops-token.ts";
import type { Session } from "#store/operators/sessions.ts";

import type { GuessLimit } from "./guess-limit.ts";
import type { Seal } from "./ops-session.ts";

/** What signing in and the ops routes are built on; `app` creates it. */
export interface OpsAccess {
  /** Reads the tokens; throws `ENV_INVALID` as `readOpsTokens` does. */
  opsTokens(): readonly OpsToken[];
  /** The deployment's public addresses; empty where they are not configured. */
  relayUrls: readonly string[];
  /** The sign-in links that were used. Throws `STORE_UNAVAILABLE`. */
  tickets: {
    /** Records that the ticket is used up; false if it was before. */
    spend(ticket: Seal, nowMs: number): Promise<boolean>;
  };
  /** The sessions that have begun. All throw `STORE_UNAVAILABLE`. */
  sessions: {
    save(session: Session): Promise<void>;
    isOpen(id: string): Promise<boolean>;
    end(id: string): Promise<void>;
  };
  audit: AuditTrail;
  guesses: GuessLimit;
  /** A random UUID. */
  newId(): string;
  clock: Clock;
  log: Log;
}
