import { type Clock, settleWithin } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import { storeUnavailable } from "#store/connection/store-error.ts";

import { type MetricFamily, prometheusParts } from "./prometheus-text.ts";

/** Some of the metrics, read by one statement. */
export interface MetricsPart {
  name: string;
  read(): Promise<MetricFamily[]>;
}

/** Several scrapers at once, and every scrape within so long, share one reading. */
const cachedMs = 5_000;
/** A little longer than Postgres's own limit for the statement. */
const waitMs = 1_500;

interface State {
  part: MetricsPart;
  /** The newest values and when they were read, by the wall clock and by the monotonic one. */
  last: { families: MetricFamily[]; atMs: number; atMonotonicMs: number } | null;
  triedAtMonotonicMs: number;
  /** Whether the newest reading failed, so that `last` is of an earlier one. */
  isKept: boolean;
  reading: Promise<void> | null;
}

/**
 * Reads all metrics as parts of Prometheus's text. Nothing is counted in the process: values are those of Postgres, at most 5 s old.
 *
 * A part that cannot be read keeps its last values, with the time of their reading as their timestamp. Prometheus drops a
 * sample that is older than one it has: without the timestamp, values of another process with newer ones would seem to
 * fall, and a counter that falls is taken for one that began again. Throws `STORE_UNAVAILABLE` while no part was ever read.
 */
export function createMetricsReader(
  parts: readonly MetricsPart[],
  { clock, log }: { clock: Clock; log: Log },
): () => Promise<Uint8Array[]> {
  const states = parts.map((part): State => {
    return { part, last: null, triedAtMonotonicMs: Number.NEGATIVE_INFINITY, isKept: false, reading: null };
  });

  async function read(state: State): Promise<void> {
    state.triedAtMonotonicMs = clock.monotonicMs();
    try {
      const families = await settleWithin(clock, waitMs, state.part.read());
      if (families === undefined) throw storeUnavailable(new Error(`No answer within ${waitMs} ms`));
      state.last = { families, atMs: clock.nowMs(), atMonotonicMs: state.triedAtMonotonicMs };
      state.isKept = false;
    } catch (thrown) {
      state.isKept = true;
      log.warn("metrics.part_failed", { part: state.part.name, ...describeCause(thrown) });
    }
  }

  return async () => {
    await Promise.all(
      states.map(async (state) => {
        if (clock.monotonicMs() - state.triedAtMonotonicMs >= cachedMs) {
          state.reading ??= read(state).finally(() => {
            state.reading = null;
          });
        }
        await state.reading;
      }),
    );
    if (states.every(({ last }) => last === null)) {
      throw new RelayError("STORE_UNAVAILABLE", "The database is unavailable, and no earlier metrics are known");
    }
    const families = states.flatMap(({ last, isKept }) => {
      if (last === null) return [];
      return isKept ? last.families.map((family) => ({ ...family, atMs: last.atMs })) : last.families;
    });
    return prometheusParts([...families, ageFamily(states, clock.monotonicMs())]);
  };
}

function ageFamily(states: readonly State[], nowMs: number): MetricFamily {
  return {
    name: "relay_scrape_age_seconds",
    type: "gauge",
    help: "How old the values of a part of this page are; +Inf if it was never read.",
    samples: states.map(({ part, last }) => ({
      labels: { part: part.name },
      value: last === null ? Number.POSITIVE_INFINITY : (nowMs - last.atMonotonicMs) / 1_000,
    })),
  };
}
