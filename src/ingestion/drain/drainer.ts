import { describeCause, type Log } from "#platform/log.ts";

import { drain } from "./drain.ts";
import type { Drained, DrainOptions, Nudges } from "./drain-run.ts";

/** The drain of one process. */
export interface Drainer {
  /**
   * Drains until the queues are empty; resolves when that is done. While one drain runs it looks again; one more follows for
   * all who called meanwhile, with time of its own, unless the first left nothing to it. Never rejects.
   */
  wake: () => Promise<void>;
}

/** One drain at a time, and none that is missed. `readOptions` throws `ENV_INVALID`, which is logged. */
export function createDrainer(readOptions: () => DrainOptions, log: Log): Drainer {
  let options: DrainOptions | undefined;
  let current: Promise<Drained> | null = null;
  let next: Promise<void> | null = null;
  const { nudge, ...nudges } = createNudges();

  async function wake(): Promise<void> {
    if (current !== null) {
      nudge();
      next ??= current.then(({ isDone }) => {
        next = null;
        return isDone && !nudges.arePending() ? undefined : wake();
      });
      return next;
    }
    try {
      current = drain((options ??= readOptions()), nudges);
      await current;
    } catch (thrown) {
      log.error("drain.failed", describeCause(thrown));
    } finally {
      current = null;
    }
  }

  return { wake };
}

function createNudges(): Nudges & { nudge: () => void } {
  let resolve = () => {};
  let promise = Promise.resolve();
  let isPending = false;
  const look = () => {
    isPending = false;
    promise = new Promise((done) => {
      resolve = done;
    });
  };
  const nudge = () => {
    isPending = true;
    resolve();
  };
  return { next: () => promise, arePending: () => isPending, look, nudge };
}

/** Each route's bundle may have its own copy of this module, but they share the global object. */
const processDrainer = Symbol.for("instagram-webhook-relay.drainer");

/** The one drainer of this process, made with the options of its first caller. */
export function getDrainer(readOptions: () => DrainOptions, log: Log): Drainer {
  const shared = globalThis as typeof globalThis & { [processDrainer]?: Drainer };
  return (shared[processDrainer] ??= createDrainer(readOptions, log));
}
