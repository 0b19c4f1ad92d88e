import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "#platform/clock.ts";

import { CliFailure } from "#platform/failure.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { commandLine, isAlive, sendSignal } from "./processes.ts";
import { until } from "./until.ts";

const stopLimitMs = 15_000;

/**
 * Stops a Postgres that a killed start left running on this data. The caller holds the lock of the data folder, so no
 * other start uses it. Throws a `CliFailure` if the process does not stop within 30 s.
 */
export async function stopLeftoverPostgres(cluster: string, binaries: PostgresBinaries): Promise<void> {
  const pid = readPid(cluster);
  if (pid === undefined) return;
  const isGone = () => !isAlive(pid);
  const command = commandLine(pid);
  if (isGone() || (command !== null && !command.includes(cluster))) {
    // The process has ended, or its number belongs to another program now. Postgres would refuse to start in both cases.
    rmSync(join(cluster, "postmaster.pid"), { force: true });
    return;
  }
  if (process.platform === "win32") {
    spawnSync(binaries.pgCtl, ["stop", "-D", cluster, "-m", "fast", "-w"], { stdio: "ignore", windowsHide: true });
  }
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    sendSignal(pid, signal);
    if (await until(systemClock, stopLimitMs, isGone)) return;
  }
  throw new CliFailure(
    `A Postgres that an earlier start left running on ${cluster} (process ${pid}) does not stop: end it and start again.`,
  );
}

function readPid(cluster: string): number | undefined {
  const file = join(cluster, "postmaster.pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : Number.NaN;
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}
