/** Pairs of probes as a world with known differences would give them, from a seed. */

import type { ProbePair, ProbeStart } from "#measurements/verdict-types.ts";

export const startMs = Date.parse("2026-03-01T00:00:00Z");
const betweenBurstsMs = 15 * 60_000;

export interface World {
  pairs: number;
  /** Pairs in a burst. */
  burst?: number;
  /** The standard deviation of the log times. */
  sigma?: number;
  /** Node's times are so many times the edge's. */
  ratio?: number;
  /** From this share of the pairs on, this ratio instead. */
  changesAt?: number;
  ratioAfter?: number;
  /** The share of the variance that both runtimes have in common. */
  common?: number;
  /** Autocorrelation of each runtime's own noise from burst to burst; within a burst it is one value, but for `fresh`. */
  autocorrelation?: number;
  /** The share of the own noise's variance that is new with each pair although the rest is autocorrelated. */
  fresh?: number;
  /** The share of probes that find a function cold and take five times as long. */
  cold?: number;
  /** Whether cold pairs are marked as such. */
  isMarked?: boolean;
  deployment?: string;
}

/** Uniform numbers from 0 to 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function simulatePairs(world: World, seed: number): ProbePair[] {
  const { pairs, burst = 4, sigma = 0.6, ratio = 1, changesAt = 1, ratioAfter = ratio, common = 0 } = world;
  const { autocorrelation = 0, fresh = 0, cold = 0, isMarked = true, deployment = "dpl_1" } = world;
  const random = createRandom(seed);
  const normal = createNormal(random);
  const state = { edge: normal(), node: normal() };
  const step = (before: number) => autocorrelation * before + Math.sqrt(1 - autocorrelation ** 2) * normal();
  const own = (before: number) =>
    autocorrelation === 0 ? normal() : Math.sqrt(1 - fresh) * before + (fresh === 0 ? 0 : Math.sqrt(fresh) * normal());
  const result: ProbePair[] = [];
  for (let index = 0; index < pairs; index++) {
    const number = Math.floor(index / burst);
    if (index % burst === 0) Object.assign(state, { edge: step(state.edge), node: step(state.node) });
    const shared = common === 0 ? 0 : Math.sqrt(common) * normal();
    const edgeNoise = shared + Math.sqrt(1 - common) * own(state.edge);
    const nodeNoise = shared + Math.sqrt(1 - common) * own(state.node);
    const isEdgeCold = random() < cold;
    const isNodeCold = random() < cold;
    const start: ProbeStart = isMarked && (isEdgeCold || isNodeCold) ? "cold" : "warm";
    const factor = index < changesAt * pairs ? ratio : ratioAfter;
    result.push({
      atMs: startMs + number * betweenBurstsMs + (index % burst) * 200,
      burst: `burst-${number}`,
      edgeMs: 60 * Math.exp(sigma * edgeNoise) * (isEdgeCold ? 5 : 1),
      nodeMs: 60 * factor * Math.exp(sigma * nodeNoise) * (isNodeCold ? 5 : 1),
      start,
      deployment,
      vantage: "fra1",
    });
  }
  return result;
}

/** Standard normal numbers (Box and Muller). */
function createNormal(random: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
