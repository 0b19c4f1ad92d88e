/** What one handler counts; see `HandlerContext.count`. */
export interface Counters {
  count: (name: string, by?: number) => void;
  counts: ReadonlyMap<string, number>;
}

/** Of one event, so that the counters of a whole batch fit one statement. */
const countersMax = 100;

export function createCounters(): Counters {
  const counts = new Map<string, number>();
  return {
    counts,
    count(name, by = 1) {
      assertCount(name, by);
      // Postgres would store a lone surrogate (half of an emoji) as U+FFFD: two such names would be one, and refused.
      const counter = name.replace(/\p{Cs}/gu, "\uFFFD");
      if (!counts.has(counter) && counts.size >= countersMax) {
        throw new RangeError(`A handler counts by ${countersMax} names at most`);
      }
      addCount(counts, counter, by);
    },
  };
}

/** Adds to a counter, which stays within the safe integers. */
export function addCount(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by;
  counts.set(name, Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, sum)));
}

/** A value that Postgres would refuse fails here, where it affects one event and not all that are settled with it. */
function assertCount(name: string, by: number): void {
  if (typeof name !== "string" || !/^[^\0]{1,100}$/s.test(name))
    throw new RangeError("A counter's name has 1 to 100 characters and no NUL");
  if (!Number.isSafeInteger(by)) throw new RangeError("A counter is raised by a whole number");
}
