/** The folder with the data of Postgres: where it is, and how it is created. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { CliFailure } from "#platform/failure.ts";
import { type PostgresBinaries, sharedFolder } from "./postgres-binaries.ts";
import { canEnter, giveTo, type PostgresUser } from "./postgres-user.ts";

/** The major version of the installed programs; they read no data of another one. */
const majorVersion = "18";

/**
 * The folder for the data: `dataDir` itself if the user of Postgres can enter its parent. Otherwise (the home folder of
 * root, a folder of a container with mode 0700) a shared folder with a random name, which the file
 * `<dataDir>.location.json` records: if that is deleted together with `dataDir`, the next start begins afresh.
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
  onSpawn: (pid: number) => void;
}

/**
 * Creates the data unless it exists; a start that is killed meanwhile leaves nothing that looks complete. Throws a
 * `CliFailure` if initdb fails or the data is of another major version.
 */
export async function initCluster(cluster: string, options: InitOptions): Promise<void> {
  if (existsSync(join(cluster, "PG_VERSION"))) {
    const found = readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
    if (found === majorVersion) return;
    throw new CliFailure(
      `The data in ${cluster} belongs to Postgres ${found}, and this is Postgres ${majorVersion}: move the folder away to start afresh.`,
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
      // The same rules for sorting and case on every system.
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      ...(options.durable ? [] : ["--no-sync"]),
    ];
    const complaint = await run(options.binaries.initdb, args, options, unfinished);
    if (complaint !== null) throw new CliFailure(`Postgres could not make its data folder ${cluster}: ${complaint}`);
    rmSync(cluster, { recursive: true, force: true });
    renameSync(data, cluster);
    if (process.platform !== "win32") chmodSync(cluster, 0o700);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The environment of Postgres: without our secrets, and without PG* variables, which would change its settings. */
export function postgresEnv(): NodeJS.ProcessEnv {
  const kept = ["PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR"];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  ) as NodeJS.ProcessEnv;
}

/** What the program printed if it failed, else `null`. It has a process group of its own, so that Ctrl-C does not interrupt it. */
function run(
  program: string,
  args: string[],
  { user, onSpawn }: Pick<InitOptions, "user" | "onSpawn">,
  cwd: string,
): Promise<string | null> {
  return new Promise((resolve) => {
    const stdio: ["ignore", "ignore", "pipe"] = ["ignore", "ignore", "pipe"];
    const child = spawn(program, args, { ...user, cwd, env: postgresEnv(), detached: true, stdio, windowsHide: true });
    if (child.pid !== undefined) onSpawn(child.pid);
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => resolve(code === 0 ? null : said.trim()));
  });
}
