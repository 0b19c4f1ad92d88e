import type { Clock } from "#platform/clock.ts";

/** How much one page may cost where no index helps; the page after it goes on from there. */
const scannedMax = 100_000;
const scanMs = 300;
const stepMax = 20_000;

export interface ScanOptions<Row, Position> {
  limit: number;
  /** What is listed lies below it. */
  start: Position | undefined;
  /** Whether every candidate matches. */
  isWhole: boolean;
  clock: Pick<Clock, "monotonicMs">;
  /** The matches among the next `step` candidates below `below`, in order, but no more than `wanted`. */
  find(below: Position | undefined, step: number, wanted: number): Promise<readonly Row[]>;
  /** How many candidates there are in this step, and where the last of them is. */
  measure(below: Position | undefined, step: number): Promise<{ count: number; last: Position | undefined }>;
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
 * 100,000 are seen or 300 ms have passed. So a page may have few rows, or none, and still have a next.
 */
export async function scan<Row, Position>(options: ScanOptions<Row, Position>): Promise<Scanned<Row, Position>> {
  const { limit, isWhole, clock, find, measure, positionOf } = options;
  const startedMs = clock.monotonicMs();
  const found: Row[] = [];
  let below = options.start;
  let seen = 0;
  for (let step = limit + 1; ; step = Math.min(step * 8, stepMax)) {
    found.push(...(await find(below, step, limit + 1 - found.length)));
    const lastShown = found[limit - 1];
    if (found.length > limit && lastShown !== undefined)
      return { found: found.slice(0, limit), next: positionOf(lastShown), hasStopped: false };
    if (isWhole) return { found, next: null, hasStopped: false };
    const { count, last } = await measure(below, step);
    if (count < step || last === undefined) return { found, next: null, hasStopped: false };
    below = last;
    seen += count;
    if (seen >= scannedMax || clock.monotonicMs() - startedMs >= scanMs) return { found, next: last, hasStopped: true };
  }
}
