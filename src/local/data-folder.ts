/** The folder that holds all data of a start, and the lock that keeps it to one start at a time. */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { CliFailure, errorCodeOf } from "#platform/failure.ts";
import { isAlive, startMark } from "./processes.ts";

export interface DataFolder {
  path: string;
  /** Removes the lock. */
  release(): void;
}

interface Holder {
  pid: number;
  start: string | null;
}

const takeoverLimitMs = 10_000;
/** A lock file that stays empty longer belongs to a process that was killed between creating and writing it. */
const writeLimitMs = 2_000;

/**
 * Makes the folder if needed and takes its lock, also that of a process that is dead. Throws a `CliFailure` if another
 * start holds it or the folder cannot be written.
 */
export function openDataFolder(path: string): DataFolder {
  try {
    makeFolder(path);
    const lock = join(path, "lock");
    if (!tryLock(lock)) takeOver(lock, path);
    return { path, release: () => rmSync(lock, { force: true }) };
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    throw new CliFailure(
      `The data folder ${path} cannot be used (${errorCodeOf(error) ?? String(error)}): make it writable, or set DATA_DIR to another folder.`,
    );
  }
}

/** Throws a `CliFailure` while another start holds the folder, as `openDataFolder` would. Writes nothing. */
export function requireUnusedFolder(path: string): void {
  const lock = join(path, "lock");
  if (existsSync(lock)) requireDeadHolder(lock, path);
}

function makeFolder(path: string): void {
  const isNew = makeMissing(path);
  // If we are root, Postgres runs as another user and must be able to enter its own folder; the files in here stay private.
  if (isNew && process.platform !== "win32") chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700);
}

/**
 * Makes the folder and those above it that are missing; false if it was there. Not by the option `recursive`: below a
 * folder that accepts no new ones, such as /proc, Node then tries for ever.
 */
function makeMissing(path: string): boolean {
  if (existsSync(path)) return false;
  makeMissing(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    // Another start was faster.
    if (errorCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Creating the file takes the lock: the system lets only one process succeed. */
function tryLock(lock: string): boolean {
  try {
    const file = openSync(lock, "wx", 0o600);
    const holder: Holder = { pid: process.pid, start: startMark(process.pid) };
    writeSync(file, JSON.stringify(holder));
    closeSync(file);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Under a second lock: of two starts that find the same dead lock, one could otherwise remove the lock that the other has just taken. */
function takeOver(lock: string, path: string): void {
  requireDeadHolder(lock, path);
  const takeover = `${lock}.takeover`;
  if (ageMs(takeover) > takeoverLimitMs) rmSync(takeover, { force: true });
  if (!tryLock(takeover)) throw inUse(path, null);
  try {
    requireDeadHolder(lock, path);
    rmSync(lock, { force: true });
    if (!tryLock(lock)) throw inUse(path, null);
  } finally {
    rmSync(takeover, { force: true });
  }
}

function requireDeadHolder(lock: string, path: string): void {
  const holder = readHolder(lock);
  if (holder === null && ageMs(lock) < writeLimitMs) throw inUse(path, null);
  if (holder === null || holder.pid === process.pid || !isAlive(holder.pid)) return;
  const isSameProcess = holder.start === null || holder.start === startMark(holder.pid);
  if (isSameProcess) throw inUse(path, holder.pid);
}

function readHolder(lock: string): Holder | null {
  try {
    return JSON.parse(readFileSync(lock, "utf8")) as Holder;
  } catch {
    return null;
  }
}

function ageMs(file: string): number {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function inUse(path: string, pid: number | null): CliFailure {
  const who = pid === null ? "another start" : `another start (process ${pid})`;
  return new CliFailure(`The data folder ${path} is in use by ${who}: stop it, or set DATA_DIR to another folder.`);
}
