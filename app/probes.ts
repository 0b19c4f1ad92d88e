// What probes are made and sent with.
import { signBody } from "#instagram/signature.ts";
import { type Probing, vantageOf } from "#operations/probing.ts";
import { isEdgeEmulated, readPlace } from "#platform/delivery.ts";
import { readEnv } from "#platform/env.ts";

import { clock, log } from "./log.ts";
import { getDatabase, getReads } from "./database.ts";

const place = readPlace(process.env.NEXT_RUNTIME, process.env);

/** What the status of probes is read with. Throws `ENV_INVALID`. */
export function openProbeStatus() {
  const { PROBE_PAIRS_PER_DAY: pairsPerDay } = readEnv(process.env, ["PROBE_PAIRS_PER_DAY"]);
  const vantage = vantageOf(place.region);
  return { db: getReads(), vantage, pairsPerDay, isEmulated: isEdgeEmulated(process.env), nowMs: clock.nowMs() };
}

/** Throws `ENV_INVALID`. */
export function openProbing(): Probing {
  const env = readEnv(process.env, [
    "RELAY_URL",
    "VERCEL_AUTOMATION_BYPASS_SECRET",
    "INSTAGRAM_APP_SECRET",
    "RELAY_SECRET",
    "PROBE_PAIRS_PER_DAY",
  ]);
  const [appSecret = ""] = env.INSTAGRAM_APP_SECRET;
  return {
    db: getDatabase(),
    baseUrl: env.RELAY_URL[0],
    bypassSecret: env.VERCEL_AUTOMATION_BYPASS_SECRET,
    sign: (body) => signBody(appSecret, body),
    relaySecret: env.RELAY_SECRET[0],
    deployment: place.deployment,
    vantage: vantageOf(place.region),
    isEmulated: isEdgeEmulated(process.env),
    pairsPerDay: env.PROBE_PAIRS_PER_DAY,
    fetch,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    clock,
    log,
  };
}
