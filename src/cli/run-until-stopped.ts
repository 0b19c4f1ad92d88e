import { aborted } from "#local/aborted.ts";
import type { ServerLifetime } from "#local/server-lifetime.ts";
import { listenForStop } from "#local/stop-request.ts";
import { createTeardown } from "#local/teardown.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import { createPaint, type Paint, seconds } from "./terminal.ts";

export interface Foreground extends Pick<ServerLifetime, "notice" | "step" | "stop" | "teardown"> {
  paint: Paint;
  /** Since this command began, in milliseconds. */
  elapsedMs(): number;
}

/**
 * Starts servers in the foreground, waits for a signal or for a server that ends by itself, stops everything in reverse
 * order and ends the process. Exit status: 0 after a signal and a clean stop, 130 after a second Ctrl-C, 1 if something
 * could not start or ended by itself. `start` resolves with false if there is nothing to wait for.
 */
export async function runUntilStopped(start: (foreground: Foreground) => Promise<boolean>): Promise<never> {
  const paint = createPaint(process.env, process.stdout);
  const complain = (text: string) => console.error(`${paint("red", "✖")} ${text}`);
  // The terminal may be gone before we are.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const notice = (text: string) => console.error(`${paint("yellow", "!")} ${text}`);
  const startedMs = systemClock.monotonicMs();
  const stop = listenForStop(() => systemClock.monotonicMs());
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (thrown) => stop.stop(`An unexpected error: ${describeThrown(thrown)}`));
  }
  const teardown = createTeardown((name, error) =>
    complain(`${name}: ${error instanceof Error ? error.message : String(error)}`),
  );
  const step: Foreground["step"] = async (doing, work) => {
    stop.signal.throwIfAborted();
    const stepStartedMs = systemClock.monotonicMs();
    const result = await work();
    console.log(`${paint("green", "✔")} ${doing} ${paint("dim", seconds(systemClock.monotonicMs() - stepStartedMs))}`);
    return result;
  };

  try {
    const elapsedMs = () => systemClock.monotonicMs() - startedMs;
    if (!(await start({ paint, notice, step, stop, teardown, elapsedMs }))) process.exit(0);
    await aborted(stop.signal);
  } catch (error) {
    // A step that was interrupted fails for that reason; only the interruption is reported.
    if (!stop.signal.aborted) stop.stop(error instanceof CliFailure ? error.message : describeThrown(error));
  }

  if (stop.failure !== null) complain(stop.failure);
  await teardown.run(stop.hurry, (name) => console.log(paint("dim", `Stopping: ${name} …`)));
  if (stop.failure === null) console.log("Stopped.");
  process.exit(stop.failure !== null ? 1 : stop.hurry.aborted ? 130 : 0);
}

/** With the stack trace: an error that is no `CliFailure` is a bug, and its report needs the trace. */
function describeThrown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
