import type { Clock } from "#platform/clock.ts";
import type { EnvRecord } from "#platform/env.ts";

import type { Check } from "../check.ts";

export interface QueueCheckOptions {
  env: EnvRecord;
  clock: Clock;
  fetch: typeof fetch;
}

/**
 * The checks of one queue: its credential, whether it takes a message, how much waits. Called once its variables are
 * readable. Ends within 25 s, never rejects, ingests nothing and leaves nothing in the queue but what the drain deletes. Texts name variables, never
 * a value or a part of one.
 */
export type CheckQueue = (options: QueueCheckOptions) => Promise<Check[]>;
