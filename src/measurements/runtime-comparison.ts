/** The edge–Node comparison: its JSON, its time windows, and the one place that says which runtime is faster. */

import type { Runtime } from "#platform/delivery.ts";

type PerRuntime<T> = Record<Runtime, T>;

/** Percentiles of a set of measurements in milliseconds. */
export interface Latency {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** One interval of the series; the percentiles are null where it holds no measurement. */
export interface SeriesPoint {
  /** Start of the interval, ISO 8601. */
  at: string;
  count: number;
  ackP50: number | null;
  ackP95: number | null;
  ackP99: number | null;
  publishP95: number | null;
}

export interface RuntimeSummary {
  runtime: Runtime;
  deliveries: number;
  events: number;
  published: number;
  fallback: number;
  lost: number;
  /** Not acknowledged, so that Meta sends them again. */
  refused: number;
  /** Share of the settled forwards that QStash accepted; null while none has settled. */
  publishSuccessRate: number | null;
  publishTimeouts: number;
  /** Deliveries by the code of their last failed publish attempt. */
  errors: Record<string, number>;
  /** Deliveries that were answered with an error, by reason; those that Meta still has because nobody took them, too. */
  refusals: Record<string, number>;
  coldStarts: number;
  ackMs: Latency | null;
  publishMs: Latency | null;
  queueMs: Latency | null;
  ingestMs: Latency | null;
  endToEndMs: Latency | null;
  probeMs: Latency | null;
  series: SeriesPoint[];
}

export interface Verdict {
  metric: "probeMs.p95";
  faster: Runtime | "undecided";
  /** Node minus edge: positive where the edge is faster. */
  differenceMs: number | null;
  confidence95: [low: number, high: number] | null;
  samples: PerRuntime<number>;
  sentence: string;
}

export interface RuntimeComparison {
  window: { from: string; to: string };
  runtimes: RuntimeSummary[];
  verdict: Verdict;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export const windowNames = ["15m", "1h", "24h", "7d", "30d"] as const;
export type WindowName = (typeof windowNames)[number];

/** Each window with its interval, chosen so that a series has at most 60 points. */
const windows: Record<WindowName, { spanMs: number; bucketMs: number }> = {
  "15m": { spanMs: 15 * minuteMs, bucketMs: 30 * secondMs },
  "1h": { spanMs: hourMs, bucketMs: 2 * minuteMs },
  "24h": { spanMs: dayMs, bucketMs: 30 * minuteMs },
  "7d": { spanMs: 7 * dayMs, bucketMs: 3 * hourMs },
  "30d": { spanMs: 30 * dayMs, bucketMs: dayMs },
};

export interface TimeWindow {
  fromMs: number;
  toMs: number;
  bucketMs: number;
  /** The starts of the intervals, oldest first. They lie on a fixed grid, so the first may begin before the window. */
  bucketStartsMs: number[];
}

/** The window that ends now. */
export function windowEndingAt(name: WindowName, nowMs: number): TimeWindow {
  const { spanMs, bucketMs } = windows[name];
  const fromMs = nowMs - spanMs;
  const bucketStartsMs: number[] = [];
  for (let at = Math.floor(fromMs / bucketMs) * bucketMs; at < nowMs; at += bucketMs) bucketStartsMs.push(at);
  return { fromMs, toMs: nowMs, bucketMs, bucketStartsMs };
}

/** The series with a point for every interval of the window, so that both runtimes share one time axis. */
export function fillSeries(window: TimeWindow, points: readonly SeriesPoint[]): SeriesPoint[] {
  const byStart = new Map(points.map((point) => [Date.parse(point.at), point]));
  return window.bucketStartsMs.map(
    (startMs) =>
      byStart.get(startMs) ?? {
        at: new Date(startMs).toISOString(),
        count: 0,
        ackP50: null,
        ackP95: null,
        ackP99: null,
        publishP95: null,
      },
  );
}

/** From here on the upper end of the 95th percentile's interval lies inside the sample: 0.95 n + 1.96 √(0.0475 n) ≤ n. */
export const samplesMin = 73;

/**
 * Judges probe durations in milliseconds. Each 95th percentile gets its distribution-free interval from order
 * statistics; the two are joined to an interval of their difference by MOVER (Zou and Donner, 2008), which assumes
 * no shape either. A runtime is faster only if that interval leaves out zero.
 */
export function judgeProbes(probes: PerRuntime<readonly number[]>): Verdict {
  const samples = { edge: probes.edge.length, nodejs: probes.nodejs.length };
  const undecided = (sentence: string): Verdict => ({
    metric: "probeMs.p95",
    faster: "undecided",
    differenceMs: null,
    confidence95: null,
    samples,
    sentence,
  });
  if (samples.edge + samples.nodejs === 0) {
    return undecided(
      "Undecided: no probes in this window. Only probes compare like with like, because Meta posts to one URL and a function cannot see its own start-up.",
    );
  }
  if (Math.min(samples.edge, samples.nodejs) < samplesMin) {
    return undecided(
      `Undecided: ${samples.edge} edge and ${samples.nodejs} Node probes in this window; each needs ${samplesMin} or more.`,
    );
  }
  const edge = percentile95(probes.edge);
  const node = percentile95(probes.nodejs);
  const differenceMs = round(node.value - edge.value);
  const low = round(differenceMs - Math.hypot(node.value - node.low, edge.high - edge.value));
  const high = round(differenceMs + Math.hypot(node.high - node.value, edge.value - edge.low));
  const faster = low > 0 ? "edge" : high < 0 ? "nodejs" : "undecided";
  const sentence =
    faster === "undecided"
      ? `Undecided: the 95th percentiles differ by ${Math.abs(differenceMs)} ms, which is within what chance explains.`
      : `${faster === "edge" ? "Edge" : "Node"} is faster: its 95th percentile is ${Math.abs(differenceMs)} ms lower (95 % confidence: ${Math.min(Math.abs(low), Math.abs(high))} to ${Math.max(Math.abs(low), Math.abs(high))} ms).`;
  return { metric: "probeMs.p95", faster, differenceMs, confidence95: [low, high], samples, sentence };
}

function percentile95(values: readonly number[]): { value: number; low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = 0.95 * sorted.length;
  const spread = 1.96 * Math.sqrt(0.05 * rank);
  const at = (position: number) => sorted[Math.min(sorted.length, Math.max(1, Math.ceil(position))) - 1] ?? Number.NaN;
  return { value: at(rank), low: at(rank - spread), high: at(rank + spread) };
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
