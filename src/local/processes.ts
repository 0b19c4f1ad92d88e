/** Other processes, by number: whether they live, and whether they are still the one that was meant. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { errorCodeOf } from "#platform/failure.ts";

/** Whether a process with that number runs; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Dead but not yet collected by its parent, which in a container without an init may be never.
    return readStat(pid)?.state !== "Z";
  } catch (error) {
    return errorCodeOf(error) === "EPERM";
  }
}

/** When it started, as the system writes it: the same number with another start is another process. */
export function startMark(pid: number): string | null {
  if (process.platform === "linux") return readStat(pid)?.start ?? null;
  return askPs(pid, "lstart=");
}

/** `null` where the system does not tell. */
export function commandLine(pid: number): string | null {
  if (process.platform !== "linux") return askPs(pid, "args=");
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return null;
  }
}

/** Sends a signal, or does nothing if the process has just ended. A negative number means the whole group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  // 0 and -1 would mean our own group and every process there is.
  if (Math.abs(pid) <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // Gone between the look and the signal.
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name in parentheses may itself hold anything. */
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
