import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { EmbeddedPostgresOptions } from "#local/embedded-postgres.ts";
import { placeCluster, removeCluster } from "#local/postgres-cluster.ts";
import { findPostgresUser } from "#local/postgres-user.ts";
import { commandLine, isAlive, sendSignal } from "#local/processes.ts";

import { atExit, waitWhile } from "./at-exit.ts";
import { readProcessTree } from "./process-tree.ts";

/** A temporary folder for an embedded Postgres. */
export interface PostgresPlace {
  /** To open it with, as often as needed. */
  options: Required<Pick<EmbeddedPostgresOptions, "dataDir" | "password" | "onSpawn">>;
  /** When Postgres has been stopped. */
  remove(): void;
}

const folderPrefix = "relay-tests-";
const quitMs = 1_000;
const deletion = { recursive: true, force: true, maxRetries: 5 } as const;

/** However this process ends, Postgres ends with it, also while it starts, and the folder goes. */
export function openPostgresPlace(): PostgresPlace {
  removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  // As root, Postgres runs as another user, who has to pass through.
  chmodSync(folder, 0o711);
  const dataDir = join(folder, "postgres");
  const pids: number[] = [];
  const cancel = atExit(() => {
    endAll(pids.filter(isAlive));
    removeCluster(dataDir, placeCluster(dataDir, findPostgresUser()));
    rmSync(folder, deletion);
  });
  return {
    options: { dataDir, password: randomBytes(16).toString("hex"), onSpawn: (pid) => void pids.push(pid) },
    remove() {
      cancel();
      rmSync(folder, deletion);
    },
  };
}

/** Each has a process group of its own; the server's other processes notice that it ends. */
function endAll(pids: readonly number[]): void {
  for (const pid of pids) {
    // A test may have stopped them.
    for (const { pid: each } of readProcessTree(pid)) sendSignal(each, "SIGCONT");
    sendSignal(-pid, "SIGQUIT");
  }
  waitWhile(() => pids.some(isAlive), quitMs);
  for (const pid of pids) sendSignal(-pid, "SIGKILL");
}

/** What a run that was killed left behind. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(folderPrefix) ? Number(name.slice(folderPrefix.length).split("-")[0]) : Number.NaN;
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    stopAbandoned(join(folder, "postgres", "postmaster.pid"));
    rmSync(folder, deletion);
  }
}

function stopAbandoned(pidFile: string): void {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (commandLine(pid)?.includes(dirname(pidFile))) sendSignal(pid, "SIGQUIT");
}
