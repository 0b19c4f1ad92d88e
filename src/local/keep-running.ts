/** Starts a process again whenever it ends by itself, with back-off, until it is stopped. */
import type { Clock } from "#platform/clock.ts";

import { pauseFor } from "./pause-for.ts";

/** One run of a process. */
export interface Run {
  /** Resolves when the process has ended, with how: a text that completes "It …". */
  exited: Promise<string>;
  /** Ends the process. An aborted `hurry` skips what may take long. */
  stop(hurry?: AbortSignal): Promise<void>;
}

export interface KeepRunningOptions<R extends Run> {
  /** As it begins a sentence: "The server". */
  name: string;
  /** Starts the process and resolves when it can be used. Rejects if it cannot be started, also if the signal is aborted. */
  start: (signal: AbortSignal) => Promise<R>;
  /** The end of the process's log, for the sentence that says how it ended. */
  tail: () => string;
  /** Once it is aborted, nothing is started again; what runs goes on until `stop`. */
  signal?: AbortSignal | undefined;
  clock: Clock;
  /** Shows a sentence to the operator. */
  notice: (text: string) => void;
}

export interface Kept<R extends Run> {
  /** The first run. */
  first: R;
  /** Starts the process no more, and stops it if it runs. */
  stop(hurry?: AbortSignal): Promise<void>;
}

/** The wait before the first start after an end, in milliseconds. It doubles with each further one. */
const firstDelayMs = 500;
const delayMsMax = 30_000;
/** A process that ran for so long was healthy: after its end the waits begin anew. */
const healthyMs = 60_000;

/**
 * Starts the process. Rejects if that first start fails: then something is configured wrongly, and repeating would hide
 * it. Later starts are repeated for as long as it takes, each after a sentence that says how the process ended.
 */
export async function keepRunning<R extends Run>(options: KeepRunningOptions<R>): Promise<Kept<R>> {
  const { name, start, tail, clock, notice } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])]);
  const first = await start(signal);
  let run: R | undefined = first;
  let starting: Promise<unknown> = Promise.resolve();

  /** Resolves with why the process could not be started; undefined if it runs. Never rejects. */
  async function startAgain(): Promise<string | undefined> {
    try {
      run = await start(signal);
      notice(`${name} runs again.`);
      return undefined;
    } catch (error) {
      return `could not be started again: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async function watch(): Promise<void> {
    let failures = 0;
    while (run !== undefined) {
      const startedMs = clock.monotonicMs();
      let ending: string | undefined = await run.exited;
      run = undefined;
      if (clock.monotonicMs() - startedMs >= healthyMs) failures = 0;
      while (ending !== undefined) {
        if (signal.aborted) return;
        const delayMs = Math.min(delayMsMax, firstDelayMs * 2 ** failures);
        failures += 1;
        notice([`${name} ${ending}. It starts again in ${delayMs / 1000} s.`, tail()].join("\n").trimEnd());
        await pauseFor(clock, delayMs, signal);
        if (signal.aborted) return;
        const attempt = startAgain();
        starting = attempt;
        ending = await attempt;
      }
    }
  }
  const watching = watch();

  return {
    first,
    stop: async (hurry) => {
      stopping.abort();
      await starting;
      await run?.stop(hurry);
      await watching;
    },
  };
}
