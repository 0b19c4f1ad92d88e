import { type Clock, systemClock } from "#platform/clock.ts";

import { createPlaces, type Places } from "./places.ts";

/** Runs of handlers that one process has under way: each holds the events of a batch, and connections by turns. */
const runsMax = 16;
/** Calls that may wait for each place: most runs take milliseconds, so a burst is over soon. */
const waitersPerPlace = 16;

/** What all runs of handlers in one process share. */
export interface ProcessWork {
  /** One for each batch, or message, whose handlers run. */
  runs: Places;
  /**
   * The one place for events whose process has died before: if one of them ends this process too, no other event of that
   * kind is counted with it.
   */
  suspects: Places;
  /** Aborted when the process was asked to stop: no further handler begins. */
  stopping: AbortSignal;
}

/** A build may give instrumentation.ts and each route its own copy of this module, but they share the global object. */
const processWork = Symbol.for("instagram-webhook-relay.process-work");
type Process = typeof globalThis & { [processWork]?: { work: ProcessWork; stop: () => void } };

export function createProcessWork(clock = systemClock, placesMax = runsMax): { work: ProcessWork; stop: () => void } {
  const abort = new AbortController();
  const runs = createPlaces(placesMax, clock, placesMax * waitersPerPlace);
  const work = { runs, suspects: createPlaces(1, clock), stopping: abort.signal };
  return { work, stop: () => abort.abort() };
}

/** What the runs of this process share. */
export function getProcessWork(): ProcessWork {
  return shared().work;
}

export interface StopOptions {
  /** So much later than the signal, in milliseconds: until then the server still takes requests. */
  delayMs: number;
  clock: Clock;
}

/**
 * When the process is asked to stop, no further handler begins in it; those that run go on. Next drains what runs, and the
 * supervisor waits for that for 30 s, while a run of handlers may take twice as long.
 */
export function stopProcessWorkWith(
  source: { once(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown },
  { delayMs, clock }: StopOptions,
): void {
  const stop = () => (delayMs === 0 ? shared().stop() : void clock.after(delayMs, () => shared().stop()));
  for (const signal of ["SIGTERM", "SIGINT"] as const) source.once(signal, stop);
}

function shared() {
  return ((globalThis as Process)[processWork] ??= createProcessWork());
}
