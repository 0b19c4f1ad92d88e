/** The figures of a month of deliveries, and the totals of many series, as the roll-ups and maintenance leave them. */
import { histogramNames } from "#dashboard/metrics/histogram-families.ts";
import { eventKinds } from "#instagram/events.ts";
import { encodeBuckets, mergeEncodedBuckets } from "#measurements/bucket-bytes.ts";
import { addToFigure, createFigure, type Figure, type Series } from "#measurements/figures.ts";
import type { TimeMetric } from "#measurements/measurement.ts";
import { sumRegions } from "#operations/sum-regions.ts";
import { systemClock } from "#platform/clock.ts";
import { runtimes } from "#platform/delivery.ts";
import type { Database } from "#store/connection/database.ts";
import { addFigures, type FigureToAdd, readSeries } from "#store/figures/add-figures.ts";
import { changeFigures } from "#store/figures/roll-up.ts";

import { createRandom } from "../support/mutate.ts";

const dayMs = 24 * 3_600_000;
const days = 30;
const regions = ["fra1", "iad1", "sin1"];
/** One deployment in so many days. */
const daysPerDeployment = 3;
const starts = [
  { cold: "warm", share: 0.95, factor: 1 },
  { cold: "cold", share: 0.05, factor: 5 },
];

/** The median of each stage of a delivery in milliseconds; and of a probe. */
const medians: Partial<Record<TimeMetric, number>> = {
  ack: 4,
  publish: 45,
  queue: 120,
  ingest: 9,
  handler: 15,
  endToEnd: 1_100,
};
const probeMs = 60;
/** Of the logarithms. */
const deviation = 0.6;

/** Adds the days and totals of so many deliveries over the last thirty days, evenly spread. */
export async function makeFigures(db: Database, deliveries: number, nowMs: number): Promise<void> {
  const random = createRandom(1);
  const perDay = Math.ceil(deliveries / days);
  const known = new Set<string>();
  for (let day = days - 1; day >= 0; day -= 1) {
    const atMs = Math.floor((nowMs - day * dayMs) / dayMs) * dayMs;
    const sums = sumDay(perDay, `dpl_${Math.floor(day / daysPerDeployment)}`, random);
    await add(
      db,
      sums.flatMap(({ series, figure }) => {
        const sum = { ...series, count: figure.count, histogram: encoded(figure) };
        const key = JSON.stringify(series);
        // Series begin with the first of their minutes.
        const tiers = known.has(key) ? ["day"] : ["minute", "day"];
        known.add(key);
        const stored = tiers.map((tier): FigureToAdd => ({ ...sum, tier, atMs }));
        return series.deployment === "" ? [...stored, { ...sum, tier: "total", atMs: 0 }] : stored;
      }),
    );
  }
  await sumRegions(db, systemClock, Infinity);
}

/**
 * The series of all histograms that a relay with so many regions has, one region after another: of every time, edge and Node,
 * warm and cold, and of the handlers' time every kind of event.
 */
export function histogramSeries(regionCount: number): Series[] {
  return Array.from({ length: regionCount }, (_, index) => `region-${index}`).flatMap((region) =>
    runtimes.flatMap((runtime) =>
      starts.flatMap(({ cold }) =>
        Object.keys(histogramNames).flatMap((metric) =>
          (metric === "handler" ? eventKinds : [""]).map((kind) => {
            return { metric, runtime, region, deployment: "", cold, kind, label: "" };
          }),
        ),
      ),
    ),
  );
}

/** Adds so many times to the total of each series, of a wide distribution: 5,000 fill each of its buckets. */
export async function addToTotals(db: Database, all: readonly Series[], times: number): Promise<void> {
  const random = createRandom(2);
  const rows = all.map((series) => {
    const figure = createFigure();
    const medianMs = medians[series.metric as TimeMetric] ?? probeMs;
    for (let n = 0; n < times; n += 1) addToFigure(figure, 1, timeOf(medianMs, random));
    const sum = { ...series, count: figure.count, histogram: encoded(figure) };
    return [
      { ...sum, tier: "minute", atMs: 0 },
      { ...sum, tier: "total", atMs: 0 },
    ];
  });
  await add(db, rows.flat());
}

async function add(db: Database, figures: readonly FigureToAdd[]): Promise<void> {
  await changeFigures(db, async (client) => addFigures(client, figures, await readSeries(client), mergeEncodedBuckets));
}

function encoded({ histogram }: Figure): FigureToAdd["histogram"] {
  return histogram && { ...histogram, buckets: encodeBuckets(histogram.buckets) };
}

interface Sum {
  series: Series;
  figure: Figure;
}

/** A day's sums, of all deployments and of the one that served. */
function sumDay(deliveries: number, deployment: string, random: () => number): Sum[] {
  return runtimes.flatMap((runtime) =>
    regions.flatMap((region) =>
      starts.flatMap(({ cold, share, factor }) => {
        const count = Math.round((deliveries * share) / (runtimes.length * regions.length));
        const place = { runtime, region, cold };
        const times = Object.entries(medians).map(([metric, ms]) => {
          const figure = createFigure();
          for (let n = 0; n < count; n += 1) addToFigure(figure, 1, timeOf(ms * factor, random));
          return { series: { ...place, metric, kind: "", label: "" }, figure };
        });
        const figure = { ...createFigure(), count };
        const counts = [
          { series: { ...place, metric: "deliveries", kind: "", label: "" }, figure },
          { series: { ...place, metric: "outcome", kind: "", label: "published" }, figure },
          { series: { ...place, metric: "events", kind: "message", label: "inserted" }, figure },
        ];
        return ["", deployment].flatMap((id) =>
          [...times, ...counts].map((sum) => ({ ...sum, series: { ...sum.series, deployment: id } })),
        );
      }),
    ),
  );
}

/** Log-normal. */
function timeOf(medianMs: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return medianMs * Math.exp(deviation * normal);
}
