import { handleEvents, withoutPlace } from "./ingest.ts";
import type { HandlersToRun, RunHandlersOptions } from "./run-event-handlers.ts";

/** How long the handlers of a stored batch wait for a place before they are left to a QStash message or to maintenance. */
const placeWaitMs = 5_000;

/**
 * Runs the handlers of a batch that nothing would deliver again: if too many run, they wait, and are then tried as those are
 * that failed. Never rejects.
 */
export async function handleInTurn(toRun: HandlersToRun, run: RunHandlersOptions): Promise<void> {
  const leave = await run.work.runs.enter(placeWaitMs);
  try {
    await handleEvents(leave === null ? withoutPlace(toRun) : toRun, run);
  } finally {
    leave?.();
  }
}
