import type { ForwardOutcome, Runtime } from "#platform/delivery.ts";

import { decodeBuckets } from "./bucket-bytes.ts";
import { type Distribution, quantiles, toBars } from "./distribution.ts";
import { createHistogram, type Histogram, mergeSums } from "./histogram.ts";
import type { Figure, Series } from "./figures.ts";
import type { CountMetric, TimeMetric } from "./measurement.ts";
import { type Latency, type RuntimeSummary, type Stage, stages, type TimeWindow } from "./runtime-comparison.ts";

/** A histogram as it is stored: in encodings, of which one that is damaged is missing. */
export interface StoredHistogram extends Omit<Histogram, "buckets"> {
  encodings: readonly Uint8Array[];
}

/** A figure of some series in one interval of a window; its `histogram` is of what no roll-up has summed up yet. */
export interface WindowFigure extends Pick<Series, "metric" | "runtime" | "kind" | "label">, Figure {
  /** The start of the interval. */
  atMs: number;
  /** What the roll-ups have summed up; null where there is nothing, or it is only counted. */
  stored: StoredHistogram | null;
}

/** Bars of a quarter of a doubling: some twenty for the times of one stage. */
const barSchema = 2;

/** What the figures of a window say of one runtime. */
export function summarizeRuntime(runtime: Runtime, all: readonly WindowFigure[], window: TimeWindow): RuntimeSummary {
  const figures = all.filter((figure) => figure.runtime === runtime);
  const count = (metric: CountMetric) => countOf(figures, metric);
  const outcomes = outcomesOf(figures);
  // A forward without an attempt, of an event that is too large for the queue, says nothing about publishing.
  const settled = Object.values(outcomes).reduce((sum, n) => sum + n, -count("unattempted"));
  const distributions = new Map(stages.map((stage) => [stage, distributionOf(figures, metricOf(stage))]));
  const acks = distributions.get("ackMs");
  return {
    runtime,
    deliveries: count("deliveries"),
    events: count("events"),
    ...outcomes,
    publishSuccessRate: settled > 0 ? Math.min(1, outcomes.published / settled) : null,
    publishTimeouts: count("publishTimeouts"),
    errors: labelsOf(figures, "error"),
    refusals: labelsOf(figures, "refusal"),
    coldStarts: count("coldStarts"),
    ...latencies(distributions),
    ackWithin:
      acks === undefined || acks.count === 0
        ? null
        : {
            ms250: acks.within250 / acks.count,
            ms1000: acks.within1000 / acks.count,
            ms5000: acks.within5000 / acks.count,
          },
    histograms: Object.fromEntries(
      [...distributions].flatMap(([stage, distribution]) =>
        distribution.count > 0 ? [[stage, toBars(distribution, barSchema)]] : [],
      ),
    ),
    series: seriesOf(figures, window),
  };
}

function metricOf(stage: Stage): TimeMetric {
  return stage.slice(0, -2) as TimeMetric;
}

function latencies(distributions: ReadonlyMap<Stage, Distribution>): Record<Stage, Latency | null> {
  return Object.fromEntries(stages.map((stage) => [stage, latencyOf(distributions.get(stage))])) as Record<
    Stage,
    Latency | null
  >;
}

type Counted = Readonly<Pick<Distribution, "count" | "maxMs" | "buckets">>;

/** Percentiles of a distribution; null for an empty one, and where all of it is damaged. */
export function latencyOf(distribution: Counted | undefined): Latency | null {
  if (distribution === undefined || distribution.count === 0) return null;
  const percentiles = quantiles(distribution, [0.5, 0.95, 0.99]);
  if (percentiles === null) return null;
  const [p50 = 0, p95 = 0, p99 = 0] = percentiles;
  const { count, maxMs } = distribution;
  return { count: round(count), p50: round(p50), p95: round(p95), p99: round(p99), max: round(maxMs) };
}

/**
 * The distribution of a metric over all intervals and kinds. Stored buckets are decoded here, all of them into one sum: one
 * for each interval would take most of the time of a read.
 */
export function distributionOf(figures: readonly WindowFigure[], metric: string): Distribution {
  const merged = createHistogram();
  const encodings: Uint8Array[] = [];
  const waiting: Histogram["buckets"][] = [];
  for (const { stored, histogram } of ofMetric(figures, metric)) {
    if (stored !== null) {
      mergeSums(merged, stored);
      encodings.push(...stored.encodings);
    }
    if (histogram !== null) {
      mergeSums(merged, histogram);
      waiting.push(histogram.buckets);
    }
  }
  return { ...merged, buckets: decodeBuckets(encodings, waiting) };
}

function ofMetric(figures: readonly WindowFigure[], metric: string): WindowFigure[] {
  return figures.filter((figure) => figure.metric === metric);
}

/** The count of a metric over all intervals, kinds and labels. */
export function countOf(figures: readonly WindowFigure[], metric: CountMetric): number {
  return round(figures.reduce((sum, figure) => sum + (figure.metric === metric ? figure.count : 0), 0));
}

/** The counts of a metric by label. */
export function labelsOf(figures: readonly WindowFigure[], metric: CountMetric): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { label, count } of ofMetric(figures, metric)) {
    counts.set(label, round((counts.get(label) ?? 0) + count));
  }
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function seriesOf(figures: readonly WindowFigure[], { bucketStartsMs }: TimeWindow): RuntimeSummary["series"] {
  const byStart = new Map<number, WindowFigure[]>(bucketStartsMs.map((startMs) => [startMs, []]));
  for (const figure of figures) byStart.get(figure.atMs)?.push(figure);
  return [...byStart].map(([startMs, inInterval]) => {
    const ack = latencyOf(distributionOf(inInterval, "ack"));
    return {
      at: new Date(startMs).toISOString(),
      count: countOf(inInterval, "deliveries"),
      ackP50: ack?.p50 ?? null,
      ackP95: ack?.p95 ?? null,
      ackP99: ack?.p99 ?? null,
      publishP95: latencyOf(distributionOf(inInterval, "publish"))?.p95 ?? null,
      lost: outcomesOf(inInterval).lost,
    };
  });
}

/** How deliveries ended, without the outcomes that later ones replaced. */
function outcomesOf(figures: readonly WindowFigure[]): Record<ForwardOutcome, number> {
  const counted = labelsOf(figures, "outcome");
  const corrected = labelsOf(figures, "correction");
  const of = (outcome: ForwardOutcome) => Math.max(0, (counted[outcome] ?? 0) - (corrected[outcome] ?? 0));
  return { published: of("published"), fallback: of("fallback"), lost: of("lost"), refused: of("refused") };
}

/** To a microsecond, which is more exact than the clocks. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
