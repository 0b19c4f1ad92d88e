/** The user that runs Postgres, which refuses to run as root. */
import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";

import { CliFailure } from "#platform/failure.ts";

/** `null` is the user of this process. */
export type PostgresUser = { uid: number; gid: number } | null;

const userName = "postgres";
/** Linux has this program; on other systems an administrator creates the user. */
const addUser = "useradd";

/** If we are root, the user `postgres`, created if it is missing; otherwise ourselves. Throws a `CliFailure` if it cannot be created. */
export function findPostgresUser(): PostgresUser {
  if (process.getuid?.() !== 0) return null;
  const existing = readUser();
  if (existing) return existing;
  spawnSync(addUser, ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", userName]);
  const made = readUser();
  if (made) return made;
  throw new CliFailure(
    `Postgres refuses to run as root, and the user "${userName}" does not exist and could not be created: ` +
      "create it, or run this as another user than root.",
  );
}

/** Whether the user can enter the folder. The system decides, because ACLs and mounts count as well as modes. */
export function canEnter(user: PostgresUser, folder: string): boolean {
  if (user === null) return true;
  return spawnSync("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...user, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Makes the user the owner of the file or folder. */
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
