import type { Runtime } from "#platform/delivery.ts";

import type { LeftOut, ProbePair, VerdictOptions } from "./verdict-types.ts";

/** What less than this says of a p95 is noise. */
export const pairsMin = 60;
export const burstsMin = 15;

const clockToleranceMs = 5 * 60_000;
/** One microsecond to one day, as in the histograms: beyond that a clock is wrong, and logarithms of it would drown the rest. */
const shortestMs = 0.001;
const longestMs = 24 * 60 * 60_000;

/** The log times of the pairs that are judged together. */
export interface Sample {
  edge: Float64Array;
  node: Float64Array;
  /** The burst of each pair, numbered from 0 in the order of time. */
  burst: Int32Array;
  /** When each burst began. */
  startsMs: Float64Array;
}

export interface Selection {
  pairs: readonly ProbePair[];
  vantage: string | null;
  deployment: string | null;
  /** The deployment that was probed last, if it has too few pairs and an earlier one is judged. */
  latest: { deployment: string | null; pairs: number } | null;
  leftOut: LeftOut;
  /** Runtimes that answered at least one probe. */
  answered: ReadonlySet<Runtime>;
}

interface Group {
  deployment: string | null;
  pairs: ProbePair[];
  lastMs: number;
  /** Some of its bursts, until they are enough. */
  bursts: Set<string>;
}

/** The pairs of one start, one vantage and one deployment: the one probed last that has enough of them. */
export function selectPairs(pairs: readonly ProbePair[], options: VerdictOptions): Selection {
  const answered = new Set<Runtime>();
  const valid = pairs.filter((pair) => {
    if (!Number.isFinite(pair.atMs) || pair.atMs > options.nowMs + clockToleranceMs) return false;
    if (pair.edgeMs > 0 && pair.edgeMs < Infinity) answered.add("edge");
    if (pair.nodeMs > 0 && pair.nodeMs < Infinity) answered.add("nodejs");
    return pair.edgeMs > 0 && pair.nodeMs > 0;
  });
  const ofStart = valid.filter(({ start }) => start === (options.start ?? "warm"));
  const vantage = options.vantage ?? mostFrequent(ofStart);
  const ofVantage = ofStart.filter((pair) => pair.vantage === vantage);
  const groups = groupByDeployment(ofVantage);
  const latest = groups[0];
  const judged = groups.find((group) => group.pairs.length >= pairsMin && group.bursts.size >= burstsMin) ?? latest;
  return {
    pairs: judged?.pairs ?? [],
    vantage,
    deployment: judged?.deployment ?? null,
    latest:
      latest !== undefined && latest !== judged ? { deployment: latest.deployment, pairs: latest.pairs.length } : null,
    leftOut: {
      invalid: pairs.length - valid.length,
      otherStart: valid.length - ofStart.length,
      otherVantage: ofStart.length - ofVantage.length,
      otherDeployment: ofVantage.length - (judged?.pairs.length ?? 0),
      beforeChange: 0,
    },
    answered,
  };
}

/** How many probes got no answer. */
export function countUnanswered(pairs: readonly ProbePair[]): Record<Runtime, number> {
  const count = { edge: 0, nodejs: 0 };
  for (const { edgeMs, nodeMs } of pairs) {
    if (edgeMs === Infinity) count.edge++;
    if (nodeMs === Infinity) count.nodejs++;
  }
  return count;
}

/** A probe without an answer counts as slow as the slowest answer, which is right while few are missing: p95 lies below them. */
export function createSample(pairs: readonly ProbePair[]): Sample {
  let slowestMs = 0;
  for (const { edgeMs, nodeMs } of pairs) {
    if (edgeMs < Infinity && edgeMs > slowestMs) slowestMs = edgeMs;
    if (nodeMs < Infinity && nodeMs > slowestMs) slowestMs = nodeMs;
  }
  const logTime = (ms: number) => Math.log(Math.max(shortestMs, Math.min(ms, slowestMs, longestMs)));
  const numberOf = numberBursts(pairs);
  const sample: Sample = {
    edge: new Float64Array(pairs.length),
    node: new Float64Array(pairs.length),
    burst: new Int32Array(pairs.length),
    startsMs: new Float64Array(numberOf.size).fill(Infinity),
  };
  for (const [index, { atMs, burst, edgeMs, nodeMs }] of pairs.entries()) {
    const number = numberOf.get(burst) ?? 0;
    sample.edge[index] = logTime(edgeMs);
    sample.node[index] = logTime(nodeMs);
    sample.burst[index] = number;
    sample.startsMs[number] = Math.min(sample.startsMs[number] ?? Infinity, atMs);
  }
  return sample;
}

/** The bursts in the order in which they began. */
function numberBursts(pairs: readonly ProbePair[]): Map<string, number> {
  const startOf = new Map<string, number>();
  for (const { burst, atMs } of pairs) {
    const start = startOf.get(burst);
    if (start === undefined || atMs < start) startOf.set(burst, atMs);
  }
  const inOrder = [...startOf.keys()].toSorted(
    (a, b) => (startOf.get(a) ?? 0) - (startOf.get(b) ?? 0) || (a < b ? -1 : 1),
  );
  return new Map(inOrder.map((burst, number) => [burst, number]));
}

/** The sample from one burst on. */
export function sampleFrom(sample: Sample, firstBurst: number): Sample {
  const isLater = (_: number, index: number) => (sample.burst[index] ?? 0) >= firstBurst;
  return {
    edge: sample.edge.filter(isLater),
    node: sample.node.filter(isLater),
    burst: sample.burst.filter(isLater).map((number) => number - firstBurst),
    startsMs: sample.startsMs.slice(firstBurst),
  };
}

function mostFrequent(pairs: readonly ProbePair[]): string | null {
  const counts = new Map<string, number>();
  for (const { vantage } of pairs) counts.set(vantage, (counts.get(vantage) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

/** The one probed last comes first: after a rollback that is the older one again. */
function groupByDeployment(pairs: readonly ProbePair[]): Group[] {
  const groups = new Map<string | null, Group>();
  for (const pair of pairs) {
    let group = groups.get(pair.deployment);
    if (group === undefined) {
      group = { deployment: pair.deployment, pairs: [], lastMs: pair.atMs, bursts: new Set() };
      groups.set(pair.deployment, group);
    }
    group.pairs.push(pair);
    if (group.bursts.size < burstsMin) group.bursts.add(pair.burst);
    group.lastMs = Math.max(group.lastMs, pair.atMs);
  }
  return [...groups.values()].toSorted((a, b) => b.lastMs - a.lastMs);
}
