import { execFile, type ExecFileOptions } from "node:child_process";
import { promisify } from "node:util";

import { isAlive } from "#local/processes.ts";

import { atExit, waitWhile } from "./at-exit.ts";

const endLimitMs = 2_000;

/**
 * Resolves with what the program has printed; rejects with `stdout` and `stderr` if it fails. It ends with this process: what
 * it writes may then be deleted.
 */
export async function runProgram(file: string, args: readonly string[], options: ExecFileOptions = {}) {
  const running = promisify(execFile)(file, args, { ...options, encoding: "utf8" });
  const { child } = running;
  const cancel = atExit(() => {
    const { pid } = child;
    if (pid === undefined) return;
    // `next build` ends its own processes at this one.
    child.kill("SIGTERM");
    waitWhile(() => isAlive(pid), endLimitMs);
    child.kill("SIGKILL");
  });
  return running.finally(cancel);
}
