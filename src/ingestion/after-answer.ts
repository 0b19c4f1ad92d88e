import { describeCause, type Log } from "#platform/log.ts";

export interface AfterAnswerOptions {
  /** Keeps the invocation alive until the promise settles. Throws on a platform that cannot. */
  waitUntil: (promise: Promise<unknown>) => void;
  log: Log;
}

/**
 * Lets work, which must never reject, go on after the answer. Await it before the answer: where the host keeps nothing
 * alive, only the request does, and the promise waits for the work.
 */
export async function goOnAfterAnswer(work: Promise<unknown>, { waitUntil, log }: AfterAnswerOptions): Promise<void> {
  try {
    waitUntil(work);
  } catch (thrown) {
    log.error("handlers.wait_until_failed", describeCause(thrown));
    await work;
  }
}
