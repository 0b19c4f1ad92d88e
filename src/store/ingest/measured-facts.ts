import type { CountMetric, MeasurementFacts, TimeMetric } from "#measurements/measurement.ts";

import type { HandlerResult } from "../handling/leased-event.ts";
import type { BatchToStore } from "./store-batch.ts";

type Times = NonNullable<MeasurementFacts["times"]>;

/** Meta gives up after 36 hours: what comes later was replayed by hand. */
const sentBeforeMaxMs = 36 * 60 * 60_000;

/**
 * What a batch measures: the time in the queue, from the start of its publish to the consumer's call, and that since Meta
 * sent its events, but for tests of Meta's dashboard and deliveries that were replayed by hand.
 */
export function factsOfBatch({ delivery, via, delivered, events }: BatchToStore): MeasurementFacts {
  // Its events did not arrive: its own record counts them.
  if (via === "backfill") return {};
  const kinds: Record<string, number> = {};
  for (const { kind } of events) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const sentAtMs = events.find(
    (event) => !event.test && event.sentAtMs !== null && delivery.receivedAtMs - event.sentAtMs < sentBeforeMaxMs,
  )?.sentAtMs;
  const { publishStartedAtMs } = delivery;
  const isQueued = via === "queue" && publishStartedAtMs !== null;
  return {
    ...(isQueued ? { times: [["queue", delivered.atMs - publishStartedAtMs, 1]] } : {}),
    events: kinds,
    ...(typeof sentAtMs === "number" ? { sentMs: delivered.atMs - sentAtMs } : {}),
  };
}

/** What the first batch knows of its delivery and the report, too. A backfill's is no delivery of Meta's and is not counted. */
export function firstFactsOfBatch({ delivery: { ackMs, coldStart }, via }: BatchToStore): MeasurementFacts {
  if (via === "backfill") return {};
  return deliveryFacts(via === "queue" ? "published" : "fallback", coldStart, ackMs);
}

/** A delivery with its outcome, and its ack if that is known and counts here. */
export function deliveryFacts(outcome: string, coldStart: boolean, ackMs: number | null): MeasurementFacts {
  const times: Times = ackMs === null ? [] : [["ack", ackMs, 1]];
  const counts: [CountMetric, number, string?][] = [
    ["deliveries", 1],
    ["outcome", 1, outcome],
  ];
  if (coldStart) counts.push(["coldStarts", 1]);
  return { times, counts };
}

/** What calls of handlers measured; those that were given back unfinished are none. */
export function factsOfHandlers(results: readonly HandlerResult[]): MeasurementFacts {
  const times: [TimeMetric, number, number, string][] = [];
  const counts: [CountMetric, number, string, string][] = [];
  for (const { outcome, ms, error, event } of results) {
    if (outcome === "released") continue;
    times.push(["handler", ms, 1, event.kind]);
    if (error !== undefined) counts.push(["handlerFailure", 1, error.name, event.kind]);
    if (event.attempt > 1) counts.push(["handlerRetry", 1, "", event.kind]);
  }
  return { times, counts };
}
