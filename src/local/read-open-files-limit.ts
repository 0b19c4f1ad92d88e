import { readFileSync } from "node:fs";

/** The number of files that this process may have open at once (`RLIMIT_NOFILE`); undefined where /proc does not tell. */
export function readOpenFilesLimit(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
