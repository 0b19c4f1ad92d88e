/**
 * How often the verdict is right, in worlds with a known answer: in the usual run half of the worlds, each of another kind.
 * `VERDICT_REPETITIONS=3000` asks for all of them, for so many repetitions and for more numbers of pairs, and prints the figures
 * that docs/COMPARING.md shows; `.ci/run` asks for 400.
 */

import { expect, test } from "vitest";

import { verdictOf } from "#measurements/verdict.ts";
import type { Verdict, VerdictOptions } from "#measurements/verdict-types.ts";

import { simulatePairs, startMs, type World } from "./verdict-simulation.ts";

const asked = process.env["VERDICT_REPETITIONS"];
const repetitions = Number(asked ?? 200);
/** Where a share that is found is far from the one that is required. */
const fewer = Math.ceil(repetitions / 3);
const timeoutMs = 20_000 + repetitions * 200;
const once: VerdictOptions = { nowMs: startMs + 1e11, isEmulated: false, isLive: false };
const live: VerdictOptions = { ...once, isLive: true };

const isDecided = ({ faster }: Verdict) => faster !== "undecided";
const isForEdge = ({ faster }: Verdict) => faster === "edge";

/** The verdicts in a world, each with its own seed. */
function judge(world: World, options: VerdictOptions, times = repetitions): Verdict[] {
  return Array.from({ length: times }, (_, seed) => verdictOf(simulatePairs(world, seed + 1), options));
}

function share(verdicts: readonly Verdict[], isSo: (verdict: Verdict) => boolean): number {
  return verdicts.filter((verdict) => isSo(verdict)).length / verdicts.length;
}

function show(name: string, figures: Record<string, number>): void {
  if (asked === undefined) return;
  const parts = Object.entries(figures).map(([figure, value]) => `${figure} ${value.toFixed(3)}`);
  process.stdout.write(`${name}: ${parts.join(", ")}\n`);
}

/** The first ones of a table, unless all are asked for. */
const some = <T>(rows: readonly T[], count: number): readonly T[] =>
  asked === undefined ? rows.slice(0, count) : rows;

const alike: [string, World][] = [
  ["independent times, 60 pairs", { pairs: 60 }],
  ["independent times, 1,200 pairs", { pairs: 1200 }],
  ["a common slow factor", { pairs: 1200, common: 0.6 }],
  ["bursts of an AR(1) process of 0.6, with noise in each pair", { pairs: 1200, autocorrelation: 0.6, fresh: 0.5 }],
  ["cold starts that are not marked, above p95", { pairs: 1200, cold: 0.1, isMarked: false }],
  ["independent times, 200 pairs", { pairs: 200 }],
  ["a burst for each pair", { pairs: 1000, burst: 1 }],
  ["bursts of an AR(1) process of 0.6", { pairs: 1200, autocorrelation: 0.6 }],
  ["an AR(1) process of 0.6 with one pair in a burst", { pairs: 1000, burst: 1, autocorrelation: 0.6 }],
  ["cold starts that are marked", { pairs: 1200, cold: 0.1 }],
  ["cold starts that are not marked, on both sides of p95", { pairs: 1200, cold: 0.05, isMarked: false }],
];

test.each(some(alike, 5))(
  "no difference: %s",
  (name, world) => {
    const falseAlarms = share(judge(world, once), isDecided);
    show(name, { "false alarms": falseAlarms });
    expect(falseAlarms).toBeLessThanOrEqual(0.06);
  },
  timeoutMs,
);

test(
  "no difference between cold starts, judged apart",
  () => {
    const falseAlarms = share(judge({ pairs: 2400, cold: 0.1 }, { ...once, start: "cold" }, fewer), isDecided);
    show("cold pairs", { "false alarms": falseAlarms });
    expect(falseAlarms).toBeLessThanOrEqual(0.06);
  },
  timeoutMs,
);

test.each<[string, World, number]>([
  ["1,200 pairs", { pairs: 1200, autocorrelation: 0.9 }, 0.98],
  ["1,000 pairs, one in a burst", { pairs: 1000, burst: 1, autocorrelation: 0.9 }, 0.98],
  ["1,200 pairs, half of the noise new in each", { pairs: 1200, autocorrelation: 0.9, fresh: 0.5 }, 0.9],
])(
  "an AR(1) process of 0.9 is too alike to decide: %s",
  (name, world, least) => {
    const verdicts = judge(world, once, fewer);
    const refused = share(verdicts, ({ reason }) => reason === "too-alike");
    const falseAlarms = share(verdicts, isDecided);
    show(`AR(1) 0.9, ${name}`, { refused, "false alarms": falseAlarms });
    expect(refused).toBeGreaterThanOrEqual(least);
    expect(falseAlarms).toBeLessThanOrEqual(0.06);
  },
  timeoutMs,
);

test.each<[string, World, Verdict["faster"], VerdictOptions, number]>([
  ["the edge's p95 is 20 % lower", { pairs: 1200, ratio: 1 / 0.8 }, "edge", once, 0.9],
  ["Node's p95 is 20 % lower", { pairs: 1200, ratio: 0.8 }, "nodejs", once, 0.9],
  ["20 % lower beside a common slow factor", { pairs: 1200, ratio: 1 / 0.8, common: 0.6 }, "edge", once, 0.95],
  ["20 % lower, looked at live", { pairs: 1200, ratio: 1 / 0.8 }, "edge", live, 0.8],
  ["20 % lower, looked at live, 2,000 pairs", { pairs: 2000, ratio: 1 / 0.8 }, "edge", live, 0.95],
])(
  "a difference is found: %s",
  (name, world, faster, options, least) => {
    const power = share(judge(world, options, fewer), (verdict) => verdict.faster === faster);
    show(name, { power });
    expect(power).toBeGreaterThanOrEqual(least);
  },
  timeoutMs,
);

test(
  "looked at 20 times while the pairs come in, it is hardly ever wrong",
  () => {
    const times = Math.ceil(repetitions / 6);
    const ever = { live: 0, once: 0 };
    for (let seed = 1; seed <= times; seed++) {
      const pairs = simulatePairs({ pairs: 1200 }, seed);
      const looks = Array.from({ length: 20 }, (_, look) => pairs.slice(0, (look + 1) * 60));
      if (looks.some((seen) => isDecided(verdictOf(seen, live)))) ever.live++;
      if (looks.some((seen) => isDecided(verdictOf(seen, once)))) ever.once++;
    }
    show("20 looks", { "ever wrong": ever.live / times, "with the interval for one look": ever.once / times });
    expect(ever.live / times).toBeLessThanOrEqual(0.06);
    expect(ever.once / times).toBeGreaterThan(0.06);
  },
  timeoutMs,
);

test.each([
  [1.5, 0.98],
  [1.3, 0.85],
])(
  "a change in the middle is named: Node takes %d times as long from there on",
  (ratioAfter, least) => {
    const middleMs = startMs + 150 * 15 * 60_000;
    const isNear = ({ changedAt }: Verdict) => Math.abs(Date.parse(changedAt ?? "") - middleMs) < 12 * 60 * 60_000;
    const named = share(judge({ pairs: 1200, changesAt: 0.5, ratioAfter }, once, fewer), isNear);
    show(`change to ${ratioAfter}`, { named });
    expect(named).toBeGreaterThanOrEqual(least);
  },
  timeoutMs,
);

test(
  "no change is named where there is none",
  () => {
    const named = share(judge({ pairs: 1200 }, once, fewer), ({ changedAt }) => changedAt !== null);
    show("no change", { named });
    expect(named).toBeLessThanOrEqual(0.02);
  },
  timeoutMs,
);

/** A part of the table in docs/COMPARING.md. */
const table: [pairs: number, look: "once" | "live", ratio: number][] = [
  [200, "once", 1.48],
  [1200, "live", 1.22],
  [500, "once", 1.26],
  [1200, "once", 1.16],
  [2000, "once", 1.12],
  [500, "live", 1.39],
  [2000, "live", 1.17],
];

test.each(some(table, 2))(
  "%d pairs, looked at %s, show a ratio of %d in 80 %% of cases",
  (pairs, look, ratio) => {
    const options = look === "live" ? live : once;
    const found = judge({ pairs }, options, fewer).map((verdict) => verdict.detectableRatio ?? Infinity);
    const median = found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0;
    const powerAt = (exponent: number) => share(judge({ pairs, ratio: ratio ** exponent }, options, fewer), isForEdge);
    const power = { below: powerAt(0.9), above: powerAt(1.1) };
    show(`${pairs} pairs, ${look}`, { detectable: median, "power 10 % below": power.below, "10 % above": power.above });
    expect(Math.abs(Math.log(median) / Math.log(ratio) - 1)).toBeLessThan(0.1);
    expect(power.below).toBeLessThan(0.8);
    expect(power.above).toBeGreaterThan(0.8);
  },
  timeoutMs,
);
