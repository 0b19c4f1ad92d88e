import type { Runtime } from "#platform/delivery.ts";

/**
 * How long the two functions had waited for a request: warm, both at most ten minutes; cold, both longer; mixed. By the
 * waiting and not by what the platform made of it: keeping a function alive for longer is an advantage that has to show.
 */
export type ProbeStart = "warm" | "cold" | "mixed";

const warmIdleMsMax = 10 * 60_000;

/** By how long each function had had no request, in milliseconds; null, which is unknown, counts as long. */
export function startOf(idleMs: Readonly<Record<Runtime, number | null>>): ProbeStart {
  const isWarm = (ms: number | null) => ms !== null && ms <= warmIdleMsMax;
  if (isWarm(idleMs.edge) !== isWarm(idleMs.nodejs)) return "mixed";
  return isWarm(idleMs.edge) ? "warm" : "cold";
}
