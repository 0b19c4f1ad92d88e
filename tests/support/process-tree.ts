import { readdirSync, readFileSync } from "node:fs";

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; on Linux a second has 100 ticks for every program. */
const msPerTick = 10;

export interface ProcessStat {
  pid: number;
  parent: number;
  /** CPU time by user and kernel. */
  cpuMs: number;
  /** The same of its children that have ended. */
  endedCpuMs: number;
}

/** A process and its children. Empty where the process is gone or the system has no /proc. */
export function readProcessTree(pid: number): ProcessStat[] {
  const own = readStat(pid);
  if (own === null) return [];
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []));
  return [own, ...all.filter(({ parent }) => parent === pid)];
}

/** The CPU time of a process and its children, also those that have ended. */
export function readTreeCpuMs(pid: number): number {
  const [own, ...children] = readProcessTree(pid);
  if (own === undefined) return Number.NaN;
  return own.endedCpuMs + [own, ...children].reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

function readStat(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return {
      pid,
      parent: field(4),
      cpuMs: (field(14) + field(15)) * msPerTick,
      endedCpuMs: (field(16) + field(17)) * msPerTick,
    };
  } catch {
    return null;
  }
}
