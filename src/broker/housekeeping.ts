import type { Clock } from "#platform/clock.ts";
import { describeCause, type Log } from "#platform/log.ts";

const intervalMs = 10 * 60_000;

/** Prunes now and every ten minutes; the function returned ends it and resolves when it is at rest. */
export function startHousekeeping(work: (nowMs: number) => Promise<void>, clock: Clock, log: Log): () => Promise<void> {
  let stopped = false;
  let cancel: (() => void) | undefined;
  let pruning = prune();

  async function prune(): Promise<void> {
    try {
      await work(clock.nowMs());
    } catch (thrown) {
      log.error("broker.store_failed", { during: "prune", ...describeCause(thrown) });
    }
    if (stopped) return;
    cancel = clock.after(intervalMs, () => {
      pruning = prune();
    });
  }

  return async () => {
    stopped = true;
    cancel?.();
    await pruning;
  };
}
