import type { ChildProcess } from "node:child_process";

/** Resolves when the process has ended, with how: it completes a sentence that begins with the name of the process. */
export function endingOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `ended by itself, with exit code ${code}` : `was ended by ${signal}`);
    });
    child.once("error", (error) => resolve(`could not be run: ${error.message}`));
  });
}
