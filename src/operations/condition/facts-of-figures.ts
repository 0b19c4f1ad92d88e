import { decodeBuckets } from "#measurements/bucket-bytes.ts";
import { quantile } from "#measurements/distribution.ts";
import { splitFrames } from "#measurements/framed-encodings.ts";
import { capCount } from "#store/connection/capped-count.ts";

import type { Condition, FailingHandler, Happened, RefusedFor } from "./condition.ts";
import { type AnsweredMinute, judgeMetaHour } from "./judge-meta-hour.ts";
import { judgeSilence } from "./judge-silence.ts";
import type { ErrorBeginning, FigureSum } from "./read-window-figures.ts";
import { isoOf } from "./times.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type FigureFacts = Pick<Condition, "refused" | "metaHour" | "acksWithheld" | "failing" | "ack" | "silence">;

/** Meta signs each delivery: these are strangers'. */
const strangers = "SIGNATURE_MISSING";
const notKept = "NOT_KEPT";

export interface FigureContext {
  /** Where errors of handlers began, see `readErrorBeginnings`. */
  beginnings: readonly ErrorBeginning[];
  lastDeliveryMs: number | null;
  nowMs: number;
}

/** What the figures say. */
export function factsOfFigures(
  figures: readonly FigureSum[],
  { beginnings, lastDeliveryMs, nowMs }: FigureContext,
): FigureFacts {
  const of = (metric: FigureSum["metric"], tier: FigureSum["tier"]) =>
    figures.filter((figure) => figure.metric === metric && figure.tier === tier);
  const recent = of("refusal", "minute").filter(({ atMs }) => atMs > nowMs - hourMs);
  const hours = sumBy(of("deliveries", "hour"), ({ atMs }) => atMs);
  return {
    refused: { ...happened(recent), perMinute: perMinute(recent, nowMs), byReason: byReason(recent) },
    metaHour: judgeMetaHour(answeredMinutes(figures), nowMs),
    acksWithheld: happened(recent.filter(({ label }) => label === notKept)),
    failing: failingHandlers(figures, beginnings),
    ack: describeAck(of("ack", "minute")[0]),
    silence: judgeSilence({ lastDeliveryMs, hours, nowMs }),
  };
}

function sumBy<Key>(figures: readonly FigureSum[], keyOf: (figure: FigureSum) => Key): Map<Key, number> {
  const sums = new Map<Key, number>();
  for (const figure of figures) sums.set(keyOf(figure), (sums.get(keyOf(figure)) ?? 0) + figure.count);
  return sums;
}

function total(figures: readonly FigureSum[]): number {
  return figures.reduce((sum, { count }) => sum + count, 0);
}

function happened(figures: readonly FigureSum[]): Happened {
  const times = figures.map(({ atMs }) => atMs);
  const [since, last] = times.length === 0 ? [null, null] : [Math.min(...times), Math.max(...times)];
  const count = Math.round(total(figures));
  return { ...capCount(count), since: isoOf(since), last: isoOf(last) };
}

/** Over the last five minutes. */
function perMinute(figures: readonly FigureSum[], nowMs: number): number {
  return Math.round((total(figures.filter(({ atMs }) => atMs > nowMs - 5 * minuteMs)) / 5) * 10) / 10;
}

function byReason(figures: readonly FigureSum[]): RefusedFor[] {
  return [...new Set(figures.map(({ label }) => label))]
    .map((reason) => ({ reason, ...happened(figures.filter(({ label }) => label === reason)) }))
    .toSorted((a, b) => b.count - a.count);
}

/**
 * A forward whose outcome is `refused` is a delivery, too, and no ack. While ingestion waits, only the deliveries whose
 * reports were sampled are counted; the weights of their publishes stand for all.
 */
function answeredMinutes(figures: readonly FigureSum[]): AnsweredMinute[] {
  const perMinuteOf = (metric: FigureSum["metric"], isCounted: (label: string) => boolean = () => true) =>
    sumBy(
      figures.filter((one) => one.metric === metric && one.tier === "minute" && isCounted(one.label)),
      ({ atMs }) => atMs,
    );
  const arrived = perMinuteOf("deliveries");
  const published = perMinuteOf("publish");
  const notAcked = perMinuteOf("outcome", (label) => label === "refused");
  const refused = perMinuteOf("refusal", (label) => label !== strangers);
  return [...new Set([...arrived.keys(), ...refused.keys()])].map((atMs) => {
    const forwards = Math.max(arrived.get(atMs) ?? 0, published.get(atMs) ?? 0);
    const failed = notAcked.get(atMs) ?? 0;
    return { atMs, refused: Math.max(refused.get(atMs) ?? 0, failed), acked: Math.max(0, forwards - failed) };
  });
}

function describeAck(figure: FigureSum | undefined): Condition["ack"] {
  if (figure === undefined || figure.count === 0) return { count: 0, p99Ms: null, overOneSecond: null };
  const { count, maxMs, within1000, buckets } = figure;
  const distribution = { count, maxMs: maxMs ?? 0, buckets: decodeBuckets(splitFrames(buckets).intact) };
  return {
    count: Math.round(count),
    p99Ms: quantile(distribution, 0.99),
    overOneSecond: Math.max(0, 1 - (within1000 ?? count) / count),
  };
}

/** The kinds whose handler failed in the last 15 minutes. */
export function failingKinds(figures: readonly FigureSum[]): string[] {
  const failed = figures.filter(({ metric, tier }) => metric === "handlerFailure" && tier === "minute");
  return [...new Set(failed.map(({ kind }) => kind))];
}

function failingHandlers(figures: readonly FigureSum[], beginnings: readonly ErrorBeginning[]): FailingHandler[] {
  return failingKinds(figures)
    .map((kind): FailingHandler => {
      const ofKind = figures.filter((figure) => figure.kind === kind);
      const failures = ofKind.filter(({ metric, tier }) => metric === "handlerFailure" && tier === "minute");
      const byError = [...sumBy(failures, ({ label }) => label)].toSorted(([, a], [, b]) => b - a);
      const error = byError[0]?.[0] ?? "";
      const calls = ofKind.filter(({ metric }) => metric === "handler");
      const lastFailedMs = Math.max(...failures.map(({ atMs }) => atMs));
      const [runs, failed] = [total(calls), total(failures)];
      const hourly = ofKind.filter(
        ({ metric, tier, label }) => metric === "handlerFailure" && tier === "hour" && label === error,
      );
      const startMs = startOfRun(hourly.map(({ atMs }) => atMs));
      const begins = ({ firstMs }: ErrorBeginning) => firstMs >= startMs && firstMs < startMs + hourMs;
      const first = beginnings.find((one) => one.kind === kind && one.error === error && begins(one));
      return {
        kind,
        error,
        runs,
        failed,
        rate: runs === 0 ? 1 : Math.min(1, failed / runs),
        since: new Date(first?.firstMs ?? startMs).toISOString(),
        lastFailedAt: new Date(lastFailedMs).toISOString(),
        succeededSince: total(calls.filter(({ atMs }) => atMs > lastFailedMs)),
        deployment: first?.deployment ?? null,
        deployedAt: isoOf(first?.deployedMs ?? null),
      };
    })
    .toSorted((a, b) => b.failed - a.failed || (a.kind < b.kind ? -1 : 1));
}

/** The start of the newest run of hours of which none, or one alone, is missing. */
function startOfRun(hours: readonly number[]): number {
  const descending = hours.toSorted((a, b) => b - a);
  let start = descending[0] ?? 0;
  for (const hour of descending) if (start - hour <= 2 * hourMs) start = hour;
  return start;
}
