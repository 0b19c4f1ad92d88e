/** The variance of a sum of dependent terms, and the intervals that follow from it. */

/** The standard normal distribution's quantiles at 97.5 % and 80 %. */
const z975 = 1.959964;
const z80 = 0.841621;
const alpha = 0.05;

/** Live intervals are narrowest at so many pairs: three to four days of the default probes. */
const pairsOfNarrowest = 1200;

export interface SumVariance {
  variance: number;
  /** How often the variance of independent terms: 1 if they are independent, n if n of them say as much as one. */
  dependence: number;
  /** How much wider than normal an interval must be, since the variance itself is estimated. */
  widening: number;
  /** The factor from each autocorrelation to the next. */
  persistence: number;
}

/**
 * The variance of the sum of terms that follow each other in time and sum to zero (Newey and West, Econometrica 55, 1987). The lag grows
 * with their autocorrelation by Andrews' rule (Econometrica 59, 1991), and the widening with the lag (Kiefer and Vogelsang,
 * Econometric Theory 21, 2005). That sum ends at its lag and understates strong dependence, so the variance is at least that of a
 * persistent process seen through noise; and at least that of independent terms, since bursts do not make up for each other.
 *
 * @param persistenceMin the persistence of a series of the same bursts that shows it better
 */
export function sumVariance(terms: Float64Array, persistenceMin = 0): SumVariance {
  const count = terms.length;
  const own = autocovariance(terms, 0);
  if (count < 3 || own === 0) return { variance: own, dependence: 1, widening: Infinity, persistence: 0 };
  const found = autocorrelations(terms, own);
  const { first } = found;
  const persistence = Math.max(found.persistence, persistenceMin);
  const lag = chooseLag(count, persistence);
  let sum = own;
  for (let by = 1; by <= lag; by++) sum += 2 * (1 - by / (lag + 1)) * autocovariance(terms, by);
  const dependence = Math.max(1, sum / own, 1 + (2 * first) / (1 - persistence));
  return {
    variance: (own * dependence * count) / (count - 1),
    dependence,
    widening: widening((lag + 1) / count),
    persistence,
  };
}

/** Half of the width of a 95 % interval, in standard deviations. */
export function intervalFactor(pairs: number, isLive: boolean): number {
  return isLive ? liveFactor(pairs) : z975;
}

/**
 * The ratio that so many pairs show with 80 % probability.
 *
 * @param pairVariance the variance of the log ratio × pairs: 3.2 for independent log-normal times with σ = 0.6
 */
export function detectableRatio(pairs: number, pairVariance: number, isLive: boolean): number {
  return Math.exp((intervalFactor(pairs, isLive) + z80) * Math.sqrt(pairVariance / pairs));
}

/** The asymptotic confidence sequence of Waudby-Smith and others (Annals of Statistics 52, 2024), theorem 2.2 and appendix B.2. */
function liveFactor(pairs: number): number {
  const atNarrowest = -2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha) + 1);
  const time = (pairs / pairsOfNarrowest) * atNarrowest;
  return Math.sqrt(2 * (1 + 1 / time) * Math.log(Math.sqrt(time + 1) / alpha));
}

function autocovariance(terms: Float64Array, by: number): number {
  let sum = 0;
  for (let index = by; index < terms.length; index++) sum += (terms[index] ?? 0) * (terms[index - by] ?? 0);
  return sum;
}

/**
 * The first autocorrelation, corrected for the bias of short series (Kendall, Biometrika 41, 1954), and the factor by which each further one
 * is smaller. They are equal in an AR(1) process; noise that is new in each burst lowers the first one alone.
 */
function autocorrelations(terms: Float64Array, own: number): { first: number; persistence: number } {
  const at = (by: number) => {
    const raw = autocovariance(terms, by) / own;
    return raw + (1 + 3 * raw) / terms.length;
  };
  const first = Math.min(0.95, Math.max(0, at(1)));
  if (first < 3 / Math.sqrt(terms.length)) return { first, persistence: first };
  const [second, third] = [at(2), at(3)];
  const decay = (first * second + second * third) / (first ** 2 + second ** 2);
  return { first, persistence: Math.min(0.95, Math.max(first, decay)) };
}

function chooseLag(count: number, rho: number): number {
  const usual = Math.floor(4 * (count / 100) ** (2 / 9));
  const strength = (4 * rho ** 2) / ((1 - rho) ** 2 * (1 + rho) ** 2);
  const byRule = Math.ceil(1.1447 * (strength * count) ** (1 / 3));
  return Math.max(1, Math.min(Math.max(usual, byRule), Math.floor(count / 5)));
}

/** Their polynomial for Bartlett's weights at 97.5 %, over the normal quantile. */
function widening(share: number): number {
  return (1.96 + 2.9694 * share + 0.416 * share ** 2 - 0.5324 * share ** 3) / 1.96;
}
