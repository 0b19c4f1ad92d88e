import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whether a process has been stopped by a signal and not continued. */
export function isStopped(pid: number): boolean {
  try {
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" }).startsWith("T");
    }
    // The name, in parentheses, may hold anything. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    return /^.*\) T /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
