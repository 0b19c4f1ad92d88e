import type { Cell } from "#cli/table.ts";

import type { BenchResult, BenchTable } from "./bench-section.ts";
import { median, spreadOf } from "./measure.ts";
import { show, showSpread } from "./show.ts";
import type { DatabaseName, WayName } from "./store-contestants.ts";

/** A way, its database, and the events of a delivery × how many deliveries are stored at once. */
export type SliceKey = `${WayName} ${"empty" | "full"} ${1 | 100}×${1 | 10}`;

/** What one way did in one slice of time. All but `perSecond` and `p50Ms` are for one delivery. */
export interface Slice {
  /** Deliveries, until all of them are noted as handled. */
  perSecond: number;
  /** Until the answer. */
  p50Ms: number;
  /** Of this process. */
  cpuMs: number;
  statements: number;
  walBytes: number;
}

export interface StoreTimes {
  /** By rounds. */
  slices: Partial<Record<SliceKey, Slice[]>>;
  /** Bytes of an event with its delivery, as made by SQL. */
  bytesMade: Partial<Record<DatabaseName, number>>;
  /** The same as left by ingestion. */
  bytesIngested: Partial<Record<DatabaseName, number>>;
}

interface Requirement {
  what: string;
  measured: number;
  atLeast?: number;
  atMost?: number;
}

export function reportStore(times: StoreTimes, { rounds, rows }: { rounds: number; rows: number }): BenchResult {
  const requirements = require(times, rows);
  const { slices, bytesMade, bytesIngested } = times;
  return {
    figures: { rounds, rows, slices, bytesMade, bytesIngested, requirements },
    tables: [drawSlices(times, rounds, rows), drawBytes(times, rows), drawRequirements(requirements)],
    failures: requirements.filter((one) => !holds(one)).map((one) => `${one.what}: ${show(one.measured)}`),
  };
}

/** The median of the ratios within a round. */
function ratio({ slices }: StoreTimes, figure: keyof Slice, of: SliceKey, to: SliceKey): number {
  return median(
    (slices[of] ?? []).map((slice, round) => slice[figure] / (slices[to]?.[round]?.[figure] ?? Number.NaN)),
  );
}

function require(times: StoreTimes, rows: number): Requirement[] {
  const rate = (of: SliceKey, to: SliceKey) => ratio(times, "perSecond", of, to);
  const cpu = median((times.slices["now empty 1×1"] ?? []).map(({ cpuMs }) => cpuMs));
  const full = `${rows} rows`;
  return [
    {
      what: "1 event, empty: deliveries/s, times before",
      measured: rate("now empty 1×1", "before empty 1×1"),
      atLeast: 5,
    },
    { what: `1 event, ${full}: times before`, measured: rate("now full 1×1", "before full 1×1"), atLeast: 5 },
    { what: `100 events, ${full}: times before`, measured: rate("now full 100×1", "before full 100×1"), atLeast: 5 },
    {
      what: `100 events, ${full}: times one insert per event`,
      measured: rate("now full 100×1", "each full 100×1"),
      atLeast: 5,
    },
    {
      what: `100 events, ${full}: times a bare multi-row insert`,
      measured: rate("now full 100×1", "bare full 100×1"),
      atLeast: 0.5,
    },
    {
      // Of both statements: those for the answer alone would leave out the second one.
      what: `p50 of 1 event, stored and settled, empty to ${full}`,
      measured: ratio(times, "p50Ms", "awaited full 1×1", "awaited empty 1×1"),
      atMost: 1.2,
    },
    {
      what: `p50 of 100 events, stored and settled, empty to ${full}`,
      measured: ratio(times, "p50Ms", "awaited full 100×1", "awaited empty 100×1"),
      atMost: 1.2,
    },
    { what: "client's CPU ms for a delivery of 1", measured: cpu, atMost: 0.4 },
    { what: "bytes stored per event, as made by SQL", measured: times.bytesMade.now ?? Number.NaN, atMost: 1_000 },
  ];
}

/** A figure that is missing fails. */
function holds({
  measured,
  atLeast = Number.NEGATIVE_INFINITY,
  atMost = Number.POSITIVE_INFINITY,
}: Requirement): boolean {
  return measured >= atLeast && measured <= atMost;
}

function drawRequirements(requirements: readonly Requirement[]): BenchTable {
  return {
    title: "Required of the store: medians of the ratios within a round",
    head: ["", "measured", "required", ""],
    rows: requirements.map((one) => [
      one.what,
      show(one.measured),
      one.atLeast === undefined ? `at most ${one.atMost}` : `at least ${one.atLeast}`,
      holds(one) ? "" : "missed",
    ]),
  };
}

function drawSlices({ slices }: StoreTimes, rounds: number, rows: number): BenchTable {
  const entries = Object.entries(slices) as [SliceKey, Slice[]][];
  const spread = (of: Slice[], figure: keyof Slice) => spreadOf(of.map((slice) => slice[figure]));
  return {
    title:
      `Into the store, "full" with ${rows} rows: medians of ${rounds} rounds (their range). ` +
      'Answered before it is settled, as the consumer does: "now"; after: "awaited"',
    head: ["way, database, events × at once", "deliveries/s", "p50 ms", "client's CPU ms", "statements", "WAL bytes"],
    rows: entries.map(([key, of]): Cell[] => [
      key,
      ...(["perSecond", "p50Ms", "cpuMs"] as const).map((figure) => showSpread(spread(of, figure))),
      ...(["statements", "walBytes"] as const).map((figure) => show(spread(of, figure).median)),
    ]),
  };
}

function drawBytes({ bytesMade, bytesIngested }: StoreTimes, rows: number): BenchTable {
  const bytes = (value: number | undefined) => (value === undefined ? null : Math.round(value));
  return {
    title: "Bytes of the disk for each event with its delivery, indexes included",
    head: ["", `${rows} made by SQL`, "as ingested, before a vacuum"],
    rows: (Object.keys(bytesMade) as DatabaseName[]).map((name) => [
      name,
      bytes(bytesMade[name]),
      bytes(bytesIngested[name]),
    ]),
  };
}
