/** The edge–Node comparison: its JSON and its time windows. */

import type { Runtime } from "#platform/delivery.ts";

import type { HistogramBar } from "./distribution.ts";
import type { Verdict } from "./verdict-types.ts";

/** Percentiles of a set of measurements in milliseconds, each at most 1.1 % off; `count` and `max` are exact. */
export interface Latency {
  /** Weighed where reports are sampled. */
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** What is measured as a time, by the name of its latency. */
export const stages = ["ackMs", "publishMs", "queueMs", "ingestMs", "handlerMs", "endToEndMs", "probeMs"] as const;
export type Stage = (typeof stages)[number];

/** One interval of the series; the percentiles are null where it holds no measurement. */
export interface SeriesPoint {
  /** Start of the interval, ISO 8601. */
  at: string;
  /** Deliveries. */
  count: number;
  ackP50: number | null;
  ackP95: number | null;
  ackP99: number | null;
  publishP95: number | null;
  lost: number;
}

export interface RuntimeSummary extends Record<Stage, Latency | null> {
  runtime: Runtime;
  deliveries: number;
  events: number;
  published: number;
  fallback: number;
  lost: number;
  /** Not acknowledged, so that Meta sends them again. */
  refused: number;
  /** Share of the settled forwards that the queue accepted; null while none has settled. */
  publishSuccessRate: number | null;
  publishTimeouts: number;
  /** Deliveries by the code of their last failed publish attempt. */
  errors: Record<string, number>;
  /** Deliveries that were answered with an error, by reason. They include those that neither the queue nor the store had. */
  refusals: Record<string, number>;
  coldStarts: number;
  /** Exact shares of the acks, from 0 to 1; null without acks. */
  ackWithin: { ms250: number; ms1000: number; ms5000: number } | null;
  /** Of each stage that was measured: bars a quarter of a doubling wide, for a chart with a logarithmic axis. */
  histograms: Partial<Record<Stage, HistogramBar[]>>;
  /** The same intervals for both runtimes, without a gap. */
  series: SeriesPoint[];
}

/** Which starts are shown: of isolates that had served before, of their first deliveries, or both. */
export const starts = ["warm", "cold", "all"] as const;
export type StartFilter = (typeof starts)[number];

export interface ComparisonFilter {
  /** Null for all. */
  region: string | null;
  deployment: string | null;
  cold: StartFilter;
}

/** A pair of clocks that differ: an end was before its start. Those measurements are in no latency. */
export interface ClockSkew {
  /** `edge-consumer`, `nodejs-consumer` or `meta-consumer`: the clock of the start and that of the end. */
  pair: string;
  /** Measurements with a negative difference, and all of this pair. */
  negative: number;
  count: number;
  /** Of the negative differences: how far the end was before the start, in milliseconds. */
  medianMs: number;
  p99Ms: number;
}

export interface RuntimeComparison {
  window: { from: string; to: string } & ComparisonFilter;
  runtimes: RuntimeSummary[];
  /** What the filters can be set to: all that was measured in the window. */
  regions: string[];
  /** Those that were measured in the window, the newest first; `firstSeenAt` may be before it. */
  deployments: { id: string; firstSeenAt: string }[];
  skew: ClockSkew[];
  /** Which runtime is faster. Only probes are judged: warm pairs, or cold ones where `cold` is asked for. */
  verdict: Verdict;
  /** That on the other kind of start; null if there are no such pairs. */
  otherStart: Verdict | null;
  /** Whether the window has more pairs than are judged; the newest are. */
  arePairsCut: boolean;
  /** How many stored figures are damaged: they are in the counts, but in no percentile and no histogram. */
  damaged: number;
  /** Outside Vercel the edge is Next's emulation: then nothing is decided. */
  emulated: boolean;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The time windows that pages offer, the shortest first. */
export const windowNames = ["15m", "1h", "24h", "7d", "30d"] as const;
export type WindowName = (typeof windowNames)[number];

/** Intervals for which figures are kept. */
export type IntervalTier = "minute" | "hour" | "day";

/** Each window with the tier that it is read from and the interval of its series: at most 60 points. */
const windows: Record<WindowName, { spanMs: number; tier: IntervalTier; bucketMs: number }> = {
  "15m": { spanMs: 15 * minuteMs, tier: "minute", bucketMs: minuteMs },
  "1h": { spanMs: hourMs, tier: "minute", bucketMs: 2 * minuteMs },
  "24h": { spanMs: dayMs, tier: "hour", bucketMs: hourMs },
  "7d": { spanMs: 7 * dayMs, tier: "hour", bucketMs: 3 * hourMs },
  "30d": { spanMs: 30 * dayMs, tier: "day", bucketMs: dayMs },
};

export interface TimeWindow {
  /** The start of an interval, so that the window is made of whole ones: it is up to one longer than its name says. */
  fromMs: number;
  toMs: number;
  tier: IntervalTier;
  bucketMs: number;
  /** The starts of the intervals, oldest first. */
  bucketStartsMs: number[];
}

/** The window that ends now. */
export function windowEndingAt(name: WindowName, nowMs: number): TimeWindow {
  const { spanMs, tier, bucketMs } = windows[name];
  const fromMs = Math.floor((nowMs - spanMs) / bucketMs) * bucketMs;
  const bucketStartsMs: number[] = [];
  for (let at = fromMs; at < nowMs; at += bucketMs) bucketStartsMs.push(at);
  return { fromMs, toMs: nowMs, tier, bucketMs, bucketStartsMs };
}
