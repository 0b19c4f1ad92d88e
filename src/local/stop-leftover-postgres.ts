/** A Postgres that a killed start left running on our data folder. The caller owns the folder: no live start uses it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { systemClock } from "#platform/clock.ts";

import { CliFailure } from "#platform/failure.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { commandLine, isAlive, sendSignal } from "./processes.ts";
import { until } from "./until.ts";

const stopLimitMs = 15_000;

/** Stops it the way we would have stopped it; does nothing if there is none. */
export async function stopLeftover(cluster: string, binaries: PostgresBinaries): Promise<void> {
  const pid = readPid(cluster);
  if (pid === undefined) return;
  const isGone = () => !isAlive(pid);
  const command = commandLine(pid);
  if (isGone() || (command !== null && !command.includes(cluster))) {
    // Its process ended, or the number belongs to another program now, for which Postgres would refuse to start.
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
  throw new CliFailure(`A Postgres left running on ${cluster} (process ${pid}) does not stop: end it and start again.`);
}

function readPid(cluster: string): number | undefined {
  const file = join(cluster, "postmaster.pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : Number.NaN;
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}
