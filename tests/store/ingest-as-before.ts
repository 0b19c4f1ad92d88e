import { systemClock } from "#platform/clock.ts";

import { eventsOf, startInstanceBefore } from "./before.ts";

/** Instances of the release before, ingesting one delivery after another until they are stopped. */
export function ingestAsBefore(url: string, streams: number) {
  const handled: string[] = [];
  let isStopped = false;
  let longestGapMs = 0;
  let slowestMs = 0;
  // Before the first one they connect, which is no gap.
  let lastMs: number | undefined;
  let ingested = 0;
  const failures: unknown[] = [];
  const running = Promise.all(
    Array.from({ length: streams }, async (_, stream) => {
      const old = startInstanceBefore(url);
      for (let turn = 0; !isStopped; turn++) {
        const events = eventsOf(`live-${stream}-${turn}`, turn % 5 === 0 ? 20 : 1);
        // Of some deliveries Meta repeats an event that the move may just be copying.
        if (turn % 3 === 0) events.push(...eventsOf("old", turn + 1).slice(-1));
        const startedMs = systemClock.monotonicMs();
        try {
          await old.ingest(`live-${stream}-${turn}`, events, (event) => {
            handled.push((event as unknown as { key: string }).key);
          });
        } catch (thrown) {
          failures.push(thrown);
        }
        const nowMs = systemClock.monotonicMs();
        slowestMs = Math.max(slowestMs, nowMs - startedMs);
        longestGapMs = Math.max(longestGapMs, nowMs - (lastMs ?? nowMs));
        lastMs = nowMs;
        ingested++;
      }
    }),
  );
  return {
    ingested: () => ingested,
    async stop() {
      isStopped = true;
      await running;
      return { handled, failures, longestGapMs, slowestMs, ingested };
    },
  };
}
