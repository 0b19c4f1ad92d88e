import { constants } from "node:os";

/** What this process has started and must not leave behind, however it ends; only SIGKILL leaves no time for it. */
const cleanUps = new Set<() => void>();

/**
 * Runs `cleanUp` when the process exits; returns what cancels that. It has to be synchronous. The newest runs first, and one
 * that throws does not keep the others from running.
 */
export function atExit(cleanUp: () => void): () => void {
  // One listener for all: a long run has more than the ten after which Node warns of a leak.
  if (cleanUps.size === 0) process.on("exit", cleanUpAll);
  cleanUps.add(cleanUp);
  return () => {
    cleanUps.delete(cleanUp);
    if (cleanUps.size === 0) process.off("exit", cleanUpAll);
  };
}

/** For commands: a signal then ends the process by `process.exit`, which runs what `atExit` has; without this it would not. */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Not `once`: a second signal would end the process in the middle of its clean-up, which is as quick.
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** Blocks for at most so long; no promise is settled any more while a process exits. */
export function waitWhile(isBusy: () => boolean, limitMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < limitMs && isBusy(); waitedMs += pauseMs) Atomics.wait(pause, 0, 0, pauseMs);
}

const pauseMs = 20;

function cleanUpAll(): void {
  for (const cleanUp of [...cleanUps].toReversed()) {
    try {
      cleanUp();
    } catch {
      // The rest matters more.
    }
  }
}
