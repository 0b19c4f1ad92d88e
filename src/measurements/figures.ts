import { addTime, createHistogram, type Histogram } from "./histogram.ts";
import type { CountMetric, Measurement, TimeMetric } from "./measurement.ts";

/** What a figure is of; empty text is "none". */
export interface Series {
  /** A `TimeMetric`, a `CountMetric`, or `skew`. */
  metric: string;
  runtime: string;
  region: string;
  deployment: string;
  /** `warm`, `cold`, or empty where it is not known. */
  cold: string;
  /** Of an event. */
  kind: string;
  /** An outcome, an error's code or name, a reason, a pair of clocks. */
  label: string;
}

/** A measurement's part in one series: a time with a weight, or a count. */
export interface Addend extends Series {
  count: number;
  /** Null for what is only counted. */
  ms: number | null;
}

/** Of a metric, the clocks at the start and the end. Other times begin and end on one clock, and are never below zero. */
export const clockPairs: Readonly<Partial<Record<string, (runtime: string) => string>>> = {
  queue: (runtime) => `${runtime}-consumer`,
  endToEnd: () => "meta-consumer",
};

const nameLengthMax = 100;

/** What one measurement adds to the series. Of a time below zero, the size is added to the skew of its two clocks. */
export function addendsOf(measurement: Measurement): Addend[] {
  const { runtime, region, deployment, cold, probe, ingestMs } = measurement;
  const place = {
    runtime: runtime ?? "",
    region: nameOf(region),
    deployment: nameOf(deployment),
    cold: cold === null ? "" : cold ? "cold" : "warm",
  };
  const addends: Addend[] = [];
  const addTimeOf = (metric: TimeMetric, ms: number, count = 1, kind = "") => {
    if (!Number.isFinite(ms) || !(count > 0)) return;
    const pair = ms < 0 ? clockPairs[metric]?.(place.runtime) : undefined;
    if (pair === undefined) addends.push({ ...place, metric, kind, label: "", count, ms });
    else addends.push({ ...place, metric: "skew", kind: "", label: pair, count, ms: -ms });
  };
  const addCountOf = (metric: CountMetric, count: number, label = "", kind = "") => {
    if (count > 0) addends.push({ ...place, metric, kind, label: nameOf(label), count, ms: null });
  };
  for (const facts of [measurement.facts, measurement.firstFacts ?? {}]) {
    for (const [metric, ms, weight, kind] of facts.times ?? []) addTimeOf(metric, ms, weight, kind);
    for (const [metric, count, label, kind] of facts.counts ?? []) addCountOf(metric, count, label, kind);
  }
  // Without events it is of a backfill.
  if (ingestMs !== null && measurement.facts.events !== undefined) addTimeOf("ingest", ingestMs);
  addEvents(measurement, addTimeOf, addCountOf);
  return probe ? addends.filter(({ metric }) => metric === "probe") : addends;
}

/** Error names are of the user's own classes, and may be anything. Postgres stores neither NUL nor half a character. */
function nameOf(text: string | null): string {
  return (text ?? "").slice(0, nameLengthMax).replaceAll(/\p{Surrogate}|\0/gu, "\uFFFD");
}

function addEvents(
  { facts: { events = {}, sentMs }, inserted, ingestMs }: Measurement,
  addTimeOf: (metric: TimeMetric, ms: number) => void,
  addCountOf: (metric: CountMetric, count: number, label: string, kind: string) => void,
): void {
  let isAnyNew = false;
  let known = 0;
  for (const [kind, count] of Object.entries(events)) {
    const isNew = inserted === null ? count : (inserted[kind] ?? 0);
    isAnyNew ||= isNew > 0;
    addCountOf("events", isNew, "inserted", kind);
    addCountOf("events", count - isNew, "duplicate", kind);
    known += count - isNew;
  }
  addCountOf("duplicates", known, "delivery", "");
  // A batch that brings nothing new arrived long after the events that it repeats.
  if (isAnyNew && sentMs !== undefined) addTimeOf("endToEnd", sentMs + (ingestMs ?? 0));
}

/** The sum of one series, or of several, in an interval. */
export interface Figure {
  count: number;
  /** Null for what is only counted. */
  histogram: Histogram | null;
}

/** A figure of nothing. */
export function createFigure(): Figure {
  return { count: 0, histogram: null };
}

/** Adds a count, with the time in milliseconds that was measured so many times. */
export function addToFigure(figure: Figure, count: number, ms: number | null): void {
  figure.count += count;
  if (ms !== null) addTime((figure.histogram ??= createHistogram()), ms, count);
}
