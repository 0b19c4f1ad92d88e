import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { verdictOf } from "#measurements/verdict.ts";
import type { ProbePair, VerdictOptions } from "#measurements/verdict-types.ts";

import { simulatePairs, startMs } from "./verdict-simulation.ts";

const options: VerdictOptions = { nowMs: startMs + 1e11, isEmulated: false };
const usual = { pairs: 1200, ratio: 1.5 };

function changed(pairs: readonly ProbePair[], change: (pair: ProbePair, index: number) => Partial<ProbePair>) {
  return pairs.map((pair, index) => ({ ...pair, ...change(pair, index) }));
}

describe("a verdict", () => {
  test("names the faster runtime with figures, vantage, pairs and deployment", () => {
    const verdict = verdictOf(simulatePairs(usual, 1), options);
    expect(verdict).toMatchObject({
      metric: "probeMs.p95",
      faster: "edge",
      reason: "decided",
      pairs: 1200,
      bursts: 300,
      vantage: "fra1",
      deployment: "dpl_1",
      start: "warm",
      changedAt: null,
    });
    const [low, high] = verdict.confidence95 ?? [0, 0];
    expect(low).toBeGreaterThan(1);
    expect(low).toBeLessThan(verdict.ratio ?? 0);
    expect(high).toBeGreaterThan(verdict.ratio ?? Infinity);
    expect(verdict.differenceMs).toBeGreaterThan(0);
    expect(verdict.sentence).toMatch(
      /^The edge is faster: its p95 is \d\d\s% lower than Node's \(95\s% interval: \d\d\s% to \d\d\s%\), by 1,200 warm pairs in 300 bursts from fra1 to deployment dpl_1\.$/,
    );
    expect(verdict.typical?.sentence).toMatch(
      /^Typically the edge takes \d\d\s% less time than Node \(95\s% interval: /,
    );
  });

  test("is the inverse when the runtimes change places", () => {
    const pairs = simulatePairs(usual, 1);
    const verdict = verdictOf(pairs, options);
    const inverse = verdictOf(
      changed(pairs, ({ edgeMs, nodeMs }) => ({ edgeMs: nodeMs, nodeMs: edgeMs })),
      options,
    );
    expect(inverse.faster).toBe("nodejs");
    expect(inverse.ratio).toBeCloseTo(1 / (verdict.ratio ?? 0), 10);
    expect(inverse.confidence95?.[0]).toBeCloseTo(1 / (verdict.confidence95?.[1] ?? 0), 10);
    expect(inverse.differenceMs).toBeCloseTo(-(verdict.differenceMs ?? 0), 6);
    expect(inverse.sentence).toMatch(/^Node is faster: its p95 is \d\d\s% lower than the edge's/);
  });

  test("does not depend on the unit of time or on the order of the pairs", () => {
    const pairs = simulatePairs(usual, 2);
    const { ratio, confidence95 } = verdictOf(pairs, options);
    const other = verdictOf(
      changed(pairs.toReversed(), ({ edgeMs, nodeMs }) => ({ edgeMs: edgeMs * 7, nodeMs: nodeMs * 7 })),
      options,
    );
    expect(other.ratio).toBeCloseTo(ratio ?? 0, 10);
    expect(other.confidence95?.[0]).toBeCloseTo(confidence95?.[0] ?? 0, 10);
  });

  test("is undecided with what so many pairs could have shown", () => {
    const verdict = verdictOf(simulatePairs({ pairs: 200 }, 3), options);
    expect(verdict).toMatchObject({ faster: "undecided", reason: "too-close" });
    expect(verdict.detectableRatio).toBeGreaterThan(1.4);
    expect(verdict.sentence).toMatch(
      /^Undecided: the edge's p95 is between \d\d\s% lower and \d\d\s% higher than Node's, by 200 warm pairs in 50 bursts from fra1 to deployment dpl_1\. So many pairs would show a p95 that is \d\d\s% higher than the other in four cases of five\.$/,
    );
  });

  test("has a narrower interval for one look than for a page that is looked at again and again", () => {
    const pairs = simulatePairs(usual, 4);
    const width = ([low, high]: readonly number[]) => Math.log(high ?? 0) - Math.log(low ?? 0);
    const once = verdictOf(pairs, { ...options, isLive: false });
    const live = verdictOf(pairs, options);
    expect(width(live.confidence95 ?? [])).toBeGreaterThan(1.4 * width(once.confidence95 ?? []));
    expect(live.detectableRatio).toBeGreaterThan(once.detectableRatio ?? Infinity);
  });

  test("judges only what came after a change, and names it", () => {
    const verdict = verdictOf(simulatePairs({ pairs: 2400, ratio: 1, changesAt: 0.5, ratioAfter: 2 }, 5), options);
    expect(verdict).toMatchObject({ faster: "edge", reason: "decided" });
    expect(Math.abs(Date.parse(verdict.changedAt ?? "") - (startMs + 300 * 15 * 60_000))).toBeLessThan(6 * 3_600_000);
    expect(verdict.leftOut.beforeChange).toBe(2400 - verdict.pairs);
    expect(verdict.sentence).toMatch(/The ratio changed at 2026-03-0\d \d\d:\d\d UTC; only later pairs are judged\.$/);
    expect(verdict.ratio).toBeGreaterThan(1.7);
  });

  test("says so when too few pairs came after the change", () => {
    const verdict = verdictOf(simulatePairs({ pairs: 480, changesAt: 0.9, ratioAfter: 20 }, 5), options);
    expect(verdict).toMatchObject({ faster: "undecided", reason: "changed", ratio: null });
    expect(verdict.sentence).toMatch(/^Undecided: the ratio changed at 2026-03-02 \d\d:\d\d UTC, and \d\d warm pairs/);
  });

  test("says how many independent pairs they are worth if they are too alike", () => {
    const { reason, sentence } = verdictOf(simulatePairs({ pairs: 1200, autocorrelation: 0.9 }, 6), options);
    expect(reason).toBe("too-alike");
    expect(sentence).toMatch(/1,200 warm pairs in 300 bursts .* say about as much as \d\d independent ones\.$/);
  });

  test("shows figures of an emulated edge, and decides nothing", () => {
    const verdict = verdictOf(simulatePairs(usual, 1), { ...options, isEmulated: true });
    expect(verdict).toMatchObject({ faster: "undecided", reason: "emulated", typical: null });
    expect(verdict.ratio).toBeGreaterThan(1);
    expect(verdict.sentence).toMatch(/^Not a verdict: outside Vercel the edge is Next's emulation in a Node process\./);
    for (const pairs of [[], simulatePairs({ pairs: 12 }, 1)])
      expect(verdictOf(pairs, { ...options, isEmulated: true }).sentence).toMatch(
        /^Undecided: .* Outside Vercel the edge is Next's emulation .* say nothing about Vercel's edge\.$/,
      );
  });
});

describe("which pairs are judged", () => {
  test("warm and cold ones apart", () => {
    const pairs = [
      ...simulatePairs({ pairs: 600, ratio: 2 }, 7),
      ...changed(simulatePairs({ pairs: 600, ratio: 0.5 }, 8), () => ({ start: "cold" as const })),
    ];
    expect(verdictOf(pairs, options)).toMatchObject({ faster: "edge", start: "warm", leftOut: { otherStart: 600 } });
    const cold = verdictOf(pairs, { ...options, start: "cold" });
    expect(cold).toMatchObject({ faster: "nodejs", start: "cold", pairs: 600 });
    expect(cold.sentence).toContain("600 cold pairs");
  });

  test("those of one vantage: of the one with the most, or of the one asked for", () => {
    const pairs = [
      ...simulatePairs({ pairs: 600, ratio: 2 }, 7),
      ...changed(simulatePairs({ pairs: 500, ratio: 0.5 }, 8), () => ({ vantage: "laptop" })),
    ];
    expect(verdictOf(pairs, options)).toMatchObject({ vantage: "fra1", leftOut: { otherVantage: 500 } });
    expect(verdictOf(pairs, { ...options, vantage: "laptop" })).toMatchObject({ vantage: "laptop", faster: "nodejs" });
    expect(verdictOf(pairs, { ...options, vantage: "moon" })).toMatchObject({ vantage: "moon", reason: "no-pairs" });
  });

  test("those of the deployment probed last that has enough of them", () => {
    const newer = (pairs: number) =>
      changed(simulatePairs({ pairs, ratio: 0.5, deployment: "dpl_2" }, 8), ({ atMs, burst }) => ({
        atMs: atMs + 1e9,
        burst: `newer-${burst}`,
      }));
    const older = simulatePairs({ pairs: 600, ratio: 2 }, 7);
    const many = verdictOf([...older, ...newer(600)], options);
    expect(many).toMatchObject({ deployment: "dpl_2", faster: "nodejs", leftOut: { otherDeployment: 600 } });
    const few = verdictOf([...older, ...newer(12)], options);
    expect(few).toMatchObject({ deployment: "dpl_1", faster: "edge", leftOut: { otherDeployment: 12 } });
    expect(few.sentence).toMatch(/Deployment dpl_2 was probed last and has only 12 pairs so far\.$/);
  });
});

describe("input that decides nothing", () => {
  test("none", () => {
    expect(verdictOf([], options)).toMatchObject({
      reason: "no-pairs",
      pairs: 0,
      sentence: "Undecided: no warm pairs were measured in this window.",
    });
  });

  test("too few pairs, and many in too few bursts", () => {
    const few = verdictOf(simulatePairs({ pairs: 40, ratio: 5 }, 1), options);
    expect(few).toMatchObject({ faster: "undecided", reason: "too-few", pairs: 40, bursts: 10 });
    expect(few.sentence).toMatch(
      /^Undecided: 40 warm pairs in 10 bursts .* at least 60 pairs in 15 bursts are needed\.$/,
    );
    expect(verdictOf(simulatePairs({ pairs: 2000, burst: 200 }, 1), options).reason).toBe("too-few");
  });

  test.each([
    ["NaN", NaN],
    ["without an answer", Infinity],
    ["zero", 0],
  ])("one runtime only: Node's times are all %s", (_, nodeMs) => {
    const verdict = verdictOf(
      changed(simulatePairs(usual, 1), () => ({ nodeMs })),
      options,
    );
    expect(verdict).toMatchObject({ faster: "undecided", reason: "one-runtime", ratio: null });
    expect(verdict.sentence).toBe("Undecided: only the edge answered the probes.");
  });

  test("many probes without an answer; few of them do not matter", () => {
    const pairs = simulatePairs(usual, 1);
    const without = (each: number) =>
      verdictOf(
        changed(pairs, (_, index) => (index % each === 0 ? { nodeMs: Infinity } : {})),
        options,
      );
    expect(without(20)).toMatchObject({ faster: "undecided", reason: "unanswered" });
    expect(without(20).sentence).toMatch(
      /^Undecided: 0 probes to the edge and 60 to Node got no answer, of 1,200 warm/,
    );
    expect(without(100)).toMatchObject({ faster: "edge", pairs: 1200 });
    expect(
      verdictOf(
        changed(pairs, () => ({ edgeMs: Infinity, nodeMs: Infinity })),
        options,
      ).reason,
    ).toBe("unanswered");
  });

  test("identical times, and a constant factor", () => {
    const pairs = simulatePairs({ pairs: 400 }, 1);
    const of = (change: (pair: ProbePair) => Partial<ProbePair>) => verdictOf(changed(pairs, change), options);
    expect(of(() => ({ edgeMs: 10, nodeMs: 20 }))).toMatchObject({ faster: "undecided", reason: "identical" });
    expect(of(({ edgeMs }) => ({ nodeMs: edgeMs })).faster).toBe("undecided");
    expect(of(({ edgeMs }) => ({ nodeMs: 1.2 * edgeMs })).reason).toBe("identical");
  });

  test("a clock so coarse that its step is larger than the difference", () => {
    const pairs = simulatePairs({ pairs: 2000, ratio: 1.06, sigma: 0.05 }, 1);
    expect(verdictOf(pairs, options).faster).toBe("edge");
    const coarse = ({ edgeMs, nodeMs }: ProbePair) => ({
      edgeMs: 20 * Math.round(edgeMs / 20),
      nodeMs: 20 * Math.round(nodeMs / 20),
    });
    expect(verdictOf(changed(pairs, coarse), options).faster).toBe("undecided");
  });

  test("negative times, zeros, dates that are none or a day ahead are left out and counted", () => {
    const pairs = simulatePairs(usual, 1);
    const oddities = [
      { edgeMs: -1 },
      { edgeMs: 0 },
      { nodeMs: NaN },
      { atMs: NaN },
      { atMs: options.nowMs + 86_400_000 },
    ];
    const odd = changed(pairs.slice(0, oddities.length), (_, index) => oddities[index] ?? {});
    expect(verdictOf([...odd, ...pairs], options)).toEqual({
      ...verdictOf(pairs, options),
      leftOut: { invalid: 5, otherStart: 0, otherVantage: 0, otherDeployment: 0, beforeChange: 0 },
    });
  });

  test("whatever the numbers are, the verdict is JSON without holes and its interval holds the ratio", () => {
    const time = fc.oneof(
      { weight: 1, arbitrary: fc.double() },
      { weight: 8, arbitrary: fc.double({ min: 0.01, max: 1e5 }) },
      { weight: 2, arbitrary: fc.constantFrom(1, 5, 1e-300, 1e300) },
    );
    const pair = fc.record({
      atMs: fc.oneof(fc.double(), fc.integer({ min: 0, max: options.nowMs })),
      burst: fc.integer({ min: 0, max: 60 }).map(String),
      edgeMs: time,
      nodeMs: time,
      start: fc.constant("warm" as const),
      deployment: fc.constant(null),
      vantage: fc.constant("fra1"),
    });
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 300, size: "max" }), fc.boolean(), (pairs, isLive) => {
        const verdict = verdictOf(pairs, { ...options, isLive });
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
        const [low, high] = verdict.confidence95 ?? [1, 1];
        expect(low).toBeLessThanOrEqual(verdict.ratio ?? 1);
        expect(high).toBeGreaterThanOrEqual(verdict.ratio ?? 1);
        expect(verdict.sentence).not.toMatch(/NaN|Infinity|null|undefined/);
      }),
      { numRuns: 60, seed: 14 },
    );
  });
});

test("a quarter of a million pairs take less than a second", () => {
  const pairs = simulatePairs({ pairs: 250_000, ratio: 1.02 }, 1);
  const before = process.cpuUsage();
  const verdict = verdictOf(pairs, { ...options, nowMs: startMs + 1e13 });
  const { user, system } = process.cpuUsage(before);
  expect(verdict).toMatchObject({ faster: "edge", pairs: 250_000 });
  // 0.3 s as a rule; CPU time, with room for the garbage collector's threads and for a processor that is shared.
  expect((user + system) / 1e6).toBeLessThan(5);
}, 120_000);
