import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whether a process is stopped by a signal. False for a process that has ended. */
export function isStopped(pid: number): boolean {
  try {
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" }).startsWith("T");
    }
    // The greedy match skips the process's name, which may contain a parenthesis. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    return /^.*\) T /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
