/** The edge–Node comparison: its JSON and its time windows. */

import type { Runtime } from "#platform/delivery.ts";

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
  /** Deliveries that were answered with an error, by reason. They include those that neither QStash nor the store had. */
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

export interface RuntimeComparison {
  window: { from: string; to: string };
  runtimes: RuntimeSummary[];
  /** Which runtime is faster. Only probes are judged; null because none is stored. */
  verdict: null;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The time windows that the overview offers, the shortest first. */
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
