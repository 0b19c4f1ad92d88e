import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";

import type { LeavePlace } from "./places.ts";
import type { ProcessWork } from "./process-work.ts";
import { shedRetryAfterSeconds } from "./retry-delay.ts";

/** What waits longer is better left to the queue, which does not hold a request open for it. */
const waitMs = 5_000;
/** For each connection of the pool, statements that wait for it: at a round trip of 200 ms they wait for two seconds. */
const statementsPerConnectionMax = 10;

export interface TakeRunOptions {
  db: Database;
  work: ProcessWork;
  random: () => number;
}

/**
 * Takes a place for one run of handlers before anything is leased, so that no lease runs while its events wait. Resolves
 * with null if none becomes free within five seconds. `retried`: how often the queue has delivered the message before. Throws
 * `OVERLOADED` if the pool is busy: then not even storing would end soon.
 */
export async function takeRun(retried: number, { db, work, random }: TakeRunOptions): Promise<LeavePlace | null> {
  const { waitingCount, options } = db.$client;
  if (waitingCount >= statementsPerConnectionMax * options.max) {
    throw overloaded("The database is busy", retried, random);
  }
  return work.runs.enter(waitMs);
}

/** Tells the queue to come back, and when. */
export function overloaded(message: string, retried: number, random: () => number): RelayError {
  return new RelayError("OVERLOADED", message, { retryAfterMs: shedRetryAfterSeconds(retried, random) * 1_000 });
}
