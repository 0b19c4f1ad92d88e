/** `npm test`: the whole suite, or the files and options of vitest that are given. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * Sets the exit status to that of vitest, or to 128 and the number of the signal that ended it. A first signal has vitest
 * clean up and end, which a second does not wait for.
 */
export function run(args: string[]): void {
  const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", "tests/vitest.config.ts", ...args], {
    cwd: root,
    stdio: "inherit",
  });
  // Vitest, too, gets the Ctrl-C of a terminal, but not a SIGINT to this process alone; SIGTERM does the same to it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}
