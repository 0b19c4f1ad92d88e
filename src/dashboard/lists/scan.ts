import type { Clock } from "#platform/clock.ts";

import { capCount, type Count, countMax } from "#store/connection/capped-count.ts";

/** How much one page may cost where no index helps; the page after it goes on from there. */
const scannedMax = 100_000;
const scanMs = 250;
/** How long counting may take in addition. */
const countMs = 150;
const stepMin = 500;
const stepMax = 20_000;

/** Candidates are looked at in steps, each of those in order from `below` to `last`. */
export interface Step<Position> {
  below: Position | undefined;
  /** Undefined: to the end. */
  last: Position | undefined;
  /** How many candidates it has at most. */
  size: number;
}

export interface Measured<Position> {
  /** Where the step's last candidate is; undefined if it has none. */
  last: Position | undefined;
  seen: number;
  /** Whether no candidate comes after the step. */
  isEnd: boolean;
}

export interface ScanOptions<Row, Position> {
  limit: number;
  /** What is listed lies below it. */
  start: Position | undefined;
  /** Whether every candidate matches. */
  isWhole: boolean;
  clock: Pick<Clock, "monotonicMs">;
  /** How far a step from `below` goes. */
  measure(below: Position | undefined, size: number): Promise<Measured<Position>>;
  /** The matches among a step's candidates, in order, but no more than `wanted`. */
  find(step: Step<Position>, wanted: number): Promise<readonly Row[]>;
  positionOf(row: Row): Position;
}

export interface Scanned<Row, Position> {
  found: Row[];
  /** Below it the next page begins; null after the last candidate. */
  next: Position | null;
  /** Whether the page ended because enough was looked at, not because it was full. */
  hasStopped: boolean;
}

/**
 * Fills one page of a list whose filter no index answers: looks at more and more candidates until the page is full,
 * 100,000 are seen or 250 ms have passed. So a page may have few rows, or none, and still have a next.
 */
export async function scan<Row, Position>(options: ScanOptions<Row, Position>): Promise<Scanned<Row, Position>> {
  const { limit, isWhole, clock, measure, find, positionOf } = options;
  const pace = startPace(clock, scanMs);
  const found: Row[] = [];
  let below = options.start;
  let seen = 0;
  for (let size = limit + 1; ; size = pace.sizeAfter(size)) {
    const step = isWhole ? { last: undefined, seen: 0, isEnd: true } : await measure(below, size);
    const { last, isEnd } = step;
    if (isWhole || last !== undefined) found.push(...(await find({ below, last, size }, limit + 1 - found.length)));
    const lastShown = found[limit - 1];
    if (found.length > limit && lastShown !== undefined)
      return { found: found.slice(0, limit), next: positionOf(lastShown), hasStopped: false };
    if (isEnd || last === undefined) return { found, next: null, hasStopped: false };
    below = last;
    seen += step.seen;
    if (seen >= scannedMax || pace.isOver()) return { found, next: last, hasStopped: true };
  }
}

export interface CountOptions<Position> {
  isWhole: boolean;
  clock: Pick<Clock, "monotonicMs">;
  measure: ScanOptions<unknown, Position>["measure"];
  /** How many of a step's candidates match. */
  count(step: Step<Position>): Promise<number>;
}

/** Counts the matches up to 10,000; where no index helps, for 150 ms at most: then there are at least so many. */
export async function countMatches<Position>({
  isWhole,
  clock,
  measure,
  count,
}: CountOptions<Position>): Promise<Count> {
  if (isWhole) return capCount(await count({ below: undefined, last: undefined, size: countMax + 1 }));
  const pace = startPace(clock, countMs);
  let found = 0;
  let below: Position | undefined;
  for (let size = stepMin; ; size = pace.sizeAfter(size)) {
    const { last, isEnd } = await measure(below, size);
    if (last !== undefined) found += await count({ below, last, size });
    if (found > countMax || isEnd || last === undefined) return capCount(found);
    below = last;
    if (pace.isOver()) return { count: found, isCapped: true };
  }
}

/** Steps grow, but only to what the time that is left allows at the pace of the last one. */
function startPace(clock: Pick<Clock, "monotonicMs">, limitMs: number) {
  const endMs = clock.monotonicMs() + limitMs;
  let stepFromMs = clock.monotonicMs();
  return {
    isOver: () => clock.monotonicMs() >= endMs,
    sizeAfter(size: number): number {
      const nowMs = clock.monotonicMs();
      const tookMs = Math.max(nowMs - stepFromMs, 1);
      stepFromMs = nowMs;
      return Math.max(stepMin, Math.min(size * 8, stepMax, Math.floor((size * (endMs - nowMs)) / tookMs)));
    },
  };
}
