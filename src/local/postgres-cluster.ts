/** The folder a Postgres keeps its data in: where it is, how it is made, and who still runs on it. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { CliFailure } from "#platform/failure.ts";
import { type PostgresBinaries, sharedFolder } from "./postgres-binaries.ts";
import { canEnter, giveTo, type PostgresUser } from "./postgres-user.ts";

/** The major version whose data the installed binaries read. */
const majorVersion = "18";

/**
 * `dataDir` itself where Postgres's user can reach it. Elsewhere (root's own folder, a container's with mode 0700) a
 * folder under a random name that a pointer in `dataDir` remembers, so that deleting `dataDir` still starts afresh.
 */
export function placeCluster(dataDir: string, user: PostgresUser): string {
  mkdirSync(dirname(dataDir), { recursive: true });
  const pointer = `${dataDir}.location.json`;
  if (existsSync(pointer)) return (JSON.parse(readFileSync(pointer, "utf8")) as { folder: string }).folder;
  if (existsSync(join(dataDir, "PG_VERSION")) || canEnter(user, dirname(dataDir))) return dataDir;
  const folder = join(sharedFolder(), `postgres-${randomBytes(12).toString("hex")}`);
  const why = `The user that runs Postgres cannot enter ${dirname(dataDir)}`;
  writeFileSync(pointer, `${JSON.stringify({ folder, why }, null, 2)}\n`, { mode: 0o600 });
  return folder;
}

/** Deletes the data, wherever `placeCluster` put it. The server must be stopped. */
export function removeCluster(dataDir: string, cluster: string): void {
  for (const path of [cluster, dataDir, `${dataDir}.location.json`]) rmSync(path, { recursive: true, force: true });
}

export interface InitOptions {
  binaries: PostgresBinaries;
  user: PostgresUser;
  password: string;
  durable: boolean;
}

/** Makes the cluster unless there is one; a start that was killed in between leaves nothing that looks finished. */
export async function initCluster(cluster: string, options: InitOptions): Promise<void> {
  if (existsSync(join(cluster, "PG_VERSION"))) {
    const found = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
    if (found === majorVersion) return;
    throw new CliFailure(
      `The data in ${cluster} was written by Postgres ${found}, and this is Postgres ${majorVersion}: move the folder away to start afresh.`,
    );
  }
  const unfinished = `${cluster}.unfinished`;
  const passwordFile = join(unfinished, "password");
  const data = join(unfinished, basename(cluster));
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    giveTo(options.user, unfinished);
    writeFileSync(passwordFile, options.password, { mode: 0o600 });
    giveTo(options.user, passwordFile);
    const args = [
      `--pgdata=${data}`,
      `--pwfile=${passwordFile}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // The same order and case rules on every system.
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      ...(options.durable ? [] : ["--no-sync"]),
    ];
    const complaint = await run(options.binaries.initdb, args, options.user, unfinished);
    if (complaint !== null) throw new CliFailure(`Postgres could not make its data folder ${cluster}: ${complaint}`);
    rmSync(cluster, { recursive: true, force: true });
    renameSync(data, cluster);
    if (process.platform !== "win32") chmodSync(cluster, 0o700);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Nothing of ours: no secrets, and no PG* variable that would point Postgres somewhere else. */
export function postgresEnv(): NodeJS.ProcessEnv {
  const kept = ["PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR"];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  ) as NodeJS.ProcessEnv;
}

/** What it said if it failed, else `null`. In a group of its own, so that Ctrl-C does not interrupt it half-way. */
function run(program: string, args: string[], user: PostgresUser, cwd: string): Promise<string | null> {
  return new Promise((resolve) => {
    const stdio: ["ignore", "ignore", "pipe"] = ["ignore", "ignore", "pipe"];
    const child = spawn(program, args, { ...user, cwd, env: postgresEnv(), detached: true, stdio, windowsHide: true });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => resolve(code === 0 ? null : said.trim()));
  });
}
