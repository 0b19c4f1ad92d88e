import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { Database } from "#store/connection/database.ts";
import type { Reclassify } from "#store/replays/replay-events.ts";

/** What operations run on; the rim builds it. */
export interface Operations {
  db: Database;
  publisher: MessagePublisher;
  /** Classifies an event of kind `unknown` by the present parser's rules. */
  reclassify: Reclassify;
  /** Random and unique. */
  newId: () => string;
  clock: Clock;
  log: Log;
}

/** One request to the queue; far above its usual answer. */
export const publishTimeoutMs = 5_000;
