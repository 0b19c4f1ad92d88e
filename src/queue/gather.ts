import type { Clock } from "#platform/clock.ts";

/** How long the first one waits for others: longer than the time between messages of one taking, and short beside a lease. */
const gatherMs = 50;
/** As many as are taken with one request. */
const countMax = 10;

interface Waiting<Item> {
  item: Item;
  timeoutMs: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Makes one request of what is asked for at about the same time, because a queue costs by the request. `send` settles within
 * its time, rejects if all have failed, and resolves with the error of each that has failed by itself. The function that is
 * returned settles within its own `timeoutMs`, with the result of its item.
 */
export function gather<Item>(
  send: (items: readonly Item[], timeoutMs: number) => Promise<ReadonlyMap<Item, Error>>,
  clock: Clock,
): (item: Item, timeoutMs: number) => Promise<void> {
  let waiting: Waiting<Item>[] = [];
  let cancel = () => {};

  const flush = () => {
    cancel();
    const batch = waiting;
    waiting = [];
    const timeoutMs = Math.min(...batch.map((each) => each.timeoutMs - waitMsOf(each.timeoutMs)));
    const items = batch.map(({ item }) => item);
    send(items, timeoutMs).then(
      (failed) => {
        for (const { item, resolve, reject } of batch) {
          const error = failed.get(item);
          if (error === undefined) resolve();
          else reject(error);
        }
      },
      (thrown: unknown) => {
        for (const { reject } of batch) reject(thrown);
      },
    );
  };

  return (item, timeoutMs) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, timeoutMs, resolve, reject });
      if (waiting.length === 1) cancel = clock.after(waitMsOf(timeoutMs), flush);
      if (waiting.length === countMax) flush();
    });
}

function waitMsOf(timeoutMs: number): number {
  return Math.min(gatherMs, timeoutMs / 2);
}
