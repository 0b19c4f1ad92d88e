/** Probes that are sent together. */
export const burstPairs = 4;

const dayMs = 24 * 60 * 60_000;
/** The schedule calls maintenance every five minutes, with all its parts. */
const scheduledCallsPerDay = 288;
/** One pair an hour travels the whole way. */
const canaryPairsPerDayMax = 24;

/** What probes, and the schedule that sends them, use up in a day. */
export interface ProbeBudget {
  pairsPerDay: number;
  burstsPerDay: number;
  canaryPairsPerDay: number;
  /** Of QStash: the schedule's own, which serve all of maintenance, and two for each canary pair. */
  qstashMessagesPerDay: { schedule: number; canaries: number; total: number };
  /** Of functions: two for each pair, the consumer's for the canaries, and maintenance itself. */
  invocationsPerDay: { edge: number; nodejs: number };
}

/** The budget of so many pairs a day, 0 for none. */
export function budgetOf(pairsPerDay: number): ProbeBudget {
  const burstsPerDay = Math.ceil(pairsPerDay / burstPairs);
  const canaryPairsPerDay = Math.min(canaryPairsPerDayMax, burstsPerDay);
  const canaries = canaryPairsPerDay * 2;
  return {
    pairsPerDay,
    burstsPerDay,
    canaryPairsPerDay,
    qstashMessagesPerDay: { schedule: scheduledCallsPerDay, canaries, total: scheduledCallsPerDay + canaries },
    invocationsPerDay: { edge: pairsPerDay, nodejs: pairsPerDay + canaries + scheduledCallsPerDay },
  };
}

/**
 * The time from one burst to the next, in milliseconds: exponential, so that no rhythm keeps the functions warm or falls
 * in step with another, and between a fifteenth and four times the mean, which the limits leave as it is (within 2 %).
 * With the default from 1 to 60 minutes. `random`: uniform in [0, 1).
 */
export function gapMsOf(pairsPerDay: number, random: number): number {
  const meanMs = (dayMs * Math.min(burstPairs, pairsPerDay)) / pairsPerDay;
  const [low, high] = [1 / 15, 4];
  const share = 1 - Math.exp(low - high);
  return meanMs * (low - Math.log(1 - random * share));
}
