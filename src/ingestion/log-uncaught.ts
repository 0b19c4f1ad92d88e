import type { Log } from "#platform/log.ts";

import { describeHandlerError } from "./describe-handler-error.ts";

/** Under which Next finds the listener that it shares between its copies; it uses one that is there already. */
const nextListener = Symbol.for("next.unhandledRejectionListener");

/** What of a process is needed. */
export interface UncaughtSource {
  on(event: "unhandledRejection", listener: (reason: unknown) => void): unknown;
  off(event: "unhandledRejection", listener: (reason: unknown) => void): unknown;
  setUncaughtExceptionCaptureCallback(callback: (thrown: unknown) => void): void;
}

/**
 * Logs errors that no code awaits, most often of a handler's promise or timer, by name and frames. Next would print them
 * whole, and their messages may quote a customer's. As under Next the process goes on: its other requests have nothing to
 * do with the error. Call it once in the process of `next start`.
 */
export function logUncaught(source: UncaughtSource, shared: object, log: Log): void {
  const write = (kind: "rejection" | "exception", thrown: unknown) => {
    const { name, code, frames } = describeHandlerError(thrown, kind, 0);
    log.error("process.uncaught", { kind, cause: name, ...(code === null ? {} : { causeCode: code }), frames });
  };
  const holder = shared as { [nextListener]?: (reason: unknown) => void };
  const printing = holder[nextListener];
  if (printing !== undefined) source.off("unhandledRejection", printing);
  const listener = (reason: unknown) => write("rejection", reason);
  holder[nextListener] = listener;
  source.on("unhandledRejection", listener);
  // Instead of any listener of `uncaughtException`, also of those that Next adds later.
  source.setUncaughtExceptionCaptureCallback((thrown) => write("exception", thrown));
}
