import type { StatusOptions } from "#dashboard/status/read-status.ts";
import { readEnv } from "#platform/env.ts";

import { clock, log } from "./log.ts";
import { capabilities } from "./queue/queue.ts";
import { rollUps } from "./services.ts";

/** What the status is read with, now. Throws `ENV_INVALID`. */
export function openStatus(): StatusOptions {
  const { PROBE_PAIRS_PER_DAY: probePairsPerDay } = readEnv(process.env, ["PROBE_PAIRS_PER_DAY"]);
  return { nowMs: clock.nowMs(), queue: capabilities, probePairsPerDay, rollUp: rollUps.now, log };
}
