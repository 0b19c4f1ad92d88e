import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import type { LeavePlace } from "./places.ts";
import type { ProcessWork } from "./process-work.ts";
import { shedRetryAfterSeconds } from "./retry-delay.ts";

/** QStash waits for the answer at least so long, and a place that takes longer is too far away. */
const waitMs = 5_000;
/** For each connection of the pool, statements that wait for it: at a round trip of 200 ms they wait for two seconds. */
const statementsPerConnectionMax = 10;

export interface TakeRunOptions {
  db: Database;
  work: ProcessWork;
  random: () => number;
}

/**
 * Takes a place for one run of handlers before anything is stored or leased, so that no lease runs while its events wait.
 * `retried`: how often QStash has delivered the message before. Throws `OVERLOADED` with the time after which QStash may
 * come back, if the pool is busy or no place becomes free within five seconds.
 */
export async function takeRun(retried: number, { db, work, random }: TakeRunOptions): Promise<LeavePlace> {
  const { waitingCount, options } = db.$client;
  const isPoolBusy = waitingCount >= statementsPerConnectionMax * options.max;
  const leave = isPoolBusy ? null : await work.runs.enter(waitMs);
  if (leave !== null) return leave;
  throw new RelayError("OVERLOADED", isPoolBusy ? "The database is busy" : "The handlers are busy", {
    retryAfterMs: shedRetryAfterSeconds(retried, random) * 1_000,
  });
}
