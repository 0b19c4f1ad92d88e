import type { Estimate } from "./verdict-estimate.ts";
import { sumVariance } from "./verdict-variance.ts";

/** Kolmogorov's distribution at 99.9 %: pages are looked at often, and a change that is none costs half of the pairs. */
const critical = 1.949;
/** A smaller change of the ratio is not worth throwing pairs away. */
const smallestChange = Math.log(1.1);
/** In fewer bursts a few slow probes look like a change. */
const burstsToTest = 60;
/** Fewer at the beginning or at the end are an episode, not a change. */
const burstsOnEachSide = 5;

interface Change {
  /** The first burst after the change. */
  burst: number;
  strength: number;
}

/**
 * The burst with which the ratio of the runtimes changed; null if it did not. A sum of deviations from the mean that departs further from zero
 * than a Brownian bridge does (CUSUM; Ploberger and Krämer, Econometrica 60, 1992), in the level or in the tail.
 */
export function findChange({ level, p95 }: Estimate): number | null {
  const changes = [level.terms, p95.terms].flatMap((terms) => findDeparture(terms) ?? []);
  return changes.toSorted((a, b) => b.strength - a.strength)[0]?.burst ?? null;
}

function findDeparture(terms: Float64Array): Change | null {
  const count = terms.length;
  if (count < burstsToTest) return null;
  let sum = 0;
  let extreme = 0;
  let burst = 0;
  for (const [index, term] of terms.entries()) {
    sum += term;
    const isInside = index + 1 >= burstsOnEachSide && index + 1 <= count - burstsOnEachSide;
    if (isInside && Math.abs(sum) > Math.abs(extreme)) {
      extreme = sum;
      burst = index + 1;
    }
  }
  if (burst === 0) return null;
  const before = extreme / burst;
  const after = -extreme / (count - burst);
  // The terms are shares of a mean over all bursts.
  if (Math.abs(before - after) * count < smallestChange) return null;
  // Without the change itself, which would pass for variance and for dependence.
  const residuals = terms.map((term, index) => term - (index < burst ? before : after));
  let own = 0;
  for (const residual of residuals) own += residual ** 2;
  const strength = Math.abs(extreme) / Math.sqrt(own * sumVariance(residuals).dependence);
  return strength > critical ? { burst, strength } : null;
}
