import type { Clock } from "#platform/clock.ts";

/** So many different answers are kept at most; a process has far fewer open pages. */
const keptMax = 500;

/**
 * Shares the answers of one process: `read` under a key that was read within `forMs`, or is being read, is not read again.
 * An error is shared with those who wait for it, and forgotten.
 */
export function createSharedReads<T>(forMs: number, clock: Pick<Clock, "monotonicMs">) {
  const kept = new Map<string, { atMs: number; answer: Promise<T> }>();
  return (key: string, read: () => Promise<T>): Promise<T> => {
    const nowMs = clock.monotonicMs();
    for (const [other, { atMs }] of kept) {
      if (nowMs - atMs < forMs && kept.size <= keptMax) break;
      kept.delete(other);
    }
    const known = kept.get(key);
    if (known !== undefined) return known.answer;
    const answer = read();
    kept.set(key, { atMs: nowMs, answer });
    answer.catch(() => {
      if (kept.get(key)?.answer === answer) kept.delete(key);
    });
    return answer;
  };
}
