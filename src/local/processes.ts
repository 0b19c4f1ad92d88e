/** Other processes, by number. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { errorCodeOf } from "#platform/failure.ts";

/** Whether a process with that number runs, of any user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Z is a process that has ended and whose parent has not collected it, as in a container without an init.
    return readStat(pid)?.state !== "Z";
  } catch (error) {
    return errorCodeOf(error) === "EPERM";
  }
}

/** When the process started, as the system writes it: the same number with another start is another process. `null` if unknown. */
export function startMark(pid: number): string | null {
  if (process.platform === "linux") return readStat(pid)?.start ?? null;
  return askPs(pid, "lstart=");
}

/** Program and arguments; `null` if unknown. */
export function commandLine(pid: number): string | null {
  if (process.platform !== "linux") return askPs(pid, "args=");
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return null;
  }
}

/** Sends a signal; does nothing if the process has ended. A negative number is a whole process group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  // 0 would be our own group, and -1 every process of the system.
  if (Math.abs(pid) <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended meanwhile.
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name in parentheses may contain any character. */
function readStat(pid: number): { state: string; start: string } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { state: fields[0] ?? "", start: fields[19] ?? "" };
  } catch {
    return null;
  }
}

function askPs(pid: number, column: string): string | null {
  if (process.platform === "win32") return null;
  const { status, stdout } = spawnSync("ps", ["-ww", "-o", column, "-p", String(pid)], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
