/** A quantile with what each value contributes to its error. */
export interface QuantileEstimate {
  value: number;
  /** The influence of each value, in the order given. They sum to zero; their mean square ÷ count is the variance if they are independent. */
  influence: Float64Array;
  /** Distance to the next different value if several values equal the quantile: the clock's step. Otherwise 0. */
  step: number;
  sorted: Float64Array;
}

/** Beyond so many standard deviations of its rank no value has a weight in the quantile. */
const reachInDeviations = 9;

/**
 * The quantile as Harrell and Davis estimate it (Biometrika 69, 1982): a mean of all ordered values, weighted by the beta density of
 * the quantile's rank. It varies less than one order statistic, and as it is smooth, its influence values are known.
 *
 * @param independent so many of the values, at least, are independent of each other: their influence is smoothed as if there were
 * no more, since a slow burst otherwise passes for a dense place
 */
export function estimateQuantile(values: Float64Array, share: number, independent = values.length): QuantileEstimate {
  const count = values.length;
  const sorted = values.toSorted();
  const reach = reachInDeviations * Math.sqrt((share * (1 - share)) / (independent + 2)) * count;
  const first = Math.max(0, Math.floor(share * count - reach));
  const last = Math.min(count - 1, Math.ceil(share * count + reach));
  const at = (rank: number) => sorted[rank] ?? 0;
  const density = createRankDensity(count, share);
  const smoothed = createRankDensity(independent, share);
  let weights = 0;
  let gapWeights = 0;
  let value = 0;
  for (let rank = first; rank <= last; rank++) {
    const weight = density((rank + 0.5) / count);
    weights += weight;
    value += weight * at(rank);
    if (rank < last) gapWeights += smoothed((rank + 1) / count);
  }

  // Huber, Robust Statistics, 3.3: the influence of x is ∫ (F(t) − 1{x ≤ t}) J(F(t)) dt, here a sum over the gaps between values.
  const above = new Float64Array(last - first + 1);
  let mean = 0;
  for (let rank = last - 1; rank >= first; rank--) {
    const below = (rank + 1) / count;
    const gap = (at(rank + 1) - at(rank)) * count * (smoothed(below) / gapWeights);
    above[rank - first] = (above[rank - first + 1] ?? 0) + gap;
    mean += gap * below;
  }
  const influence = values.map((x) => mean - (above[rankOf(x, sorted, first, last) - first] ?? 0));
  return { value: value / weights, influence, step: clockStep(sorted, Math.ceil(share * count) - 1), sorted };
}

/** The density of the quantile's rank, up to a constant factor. */
function createRankDensity(count: number, share: number) {
  const a = share * (count + 1) - 1;
  const b = (1 - share) * (count + 1) - 1;
  const peak = a * Math.log(share) + b * Math.log(1 - share);
  return (u: number) => Math.exp(a * Math.log(u) + b * Math.log(1 - u) - peak);
}

/** The first rank from `first` to `last` whose value is at least `x`. */
function rankOf(x: number, sorted: Float64Array, first: number, last: number): number {
  let low = first;
  let high = last;
  if (x <= (sorted[low] ?? 0)) return low;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < x) low = middle;
    else high = middle;
  }
  return high;
}

function clockStep(sorted: Float64Array, rank: number): number {
  const value = sorted[rank] ?? 0;
  let below = rank;
  let above = rank;
  while (below >= 0 && sorted[below] === value) below--;
  while (above < sorted.length && sorted[above] === value) above++;
  if (above - below <= 2) return 0;
  const steps = [value - (sorted[below] ?? -Infinity), (sorted[above] ?? Infinity) - value].filter(Number.isFinite);
  return steps.length === 0 ? 0 : Math.min(...steps);
}
