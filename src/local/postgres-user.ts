/** Postgres refuses to run as root; this finds who runs it instead, and what that user can reach. */
import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";

import { CliFailure } from "#platform/failure.ts";

/** `null` stands for the user we are. */
export type PostgresUser = { uid: number; gid: number } | null;

const userName = "postgres";
/** Linux has it; elsewhere root has to do it in the system's own way. */
const addUser = "useradd";

/** The `postgres` user if we are root, made if there is none; ourselves otherwise. */
export function findPostgresUser(): PostgresUser {
  if (process.getuid?.() !== 0) return null;
  const existing = readUser();
  if (existing) return existing;
  spawnSync(addUser, ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", userName]);
  const made = readUser();
  if (made) return made;
  throw new CliFailure(
    `Postgres refuses to run as root, and a user "${userName}" neither exists nor could be made: ` +
      "create one, or run this as another user than root.",
  );
}

/** Whether that user can enter the folder; asked of the system, because modes are not the whole truth (ACLs, mounts). */
export function canEnter(user: PostgresUser, folder: string): boolean {
  if (user === null) return true;
  return spawnSync("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...user, cwd: "/", stdio: "ignore" }).status === 0;
}

export function giveTo(user: PostgresUser, path: string): void {
  if (user !== null) chownSync(path, user.uid, user.gid);
}

function readUser(): PostgresUser {
  const [uid, gid] = ["-u", "-g"].map((flag) => {
    const { status, stdout } = spawnSync("id", [flag, userName], { encoding: "utf8" });
    return status === 0 ? Number(stdout.trim()) : Number.NaN;
  });
  return uid !== undefined && gid !== undefined && uid > 0 && gid >= 0 ? { uid, gid } : null;
}
