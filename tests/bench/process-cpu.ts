import { readdirSync, readFileSync } from "node:fs";

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; on Linux a second has 100 ticks for every program. */
const msPerTick = 10;

/**
 * The CPU time of a process, of its children, and of the children that have ended, by user and kernel. Null where the
 * system has no /proc.
 */
export function readTreeCpuMs(pid: number): number | null {
  const own = readStat(pid);
  if (own === null) return null;
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? [])
    .filter(({ parent }) => parent === pid);
  return own.endedMs + [own, ...children].reduce((sum, { ms }) => sum + ms, 0);
}

function readStat(pid: number): { parent: number; ms: number; endedMs: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return { parent: field(4), ms: (field(14) + field(15)) * msPerTick, endedMs: (field(16) + field(17)) * msPerTick };
  } catch {
    return null;
  }
}
