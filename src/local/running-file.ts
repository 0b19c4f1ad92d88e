/** A file in the data folder from which commands learn about a running start. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isAlive } from "./processes.ts";

export interface Running {
  pid: number;
  baseUrl: string;
  /** As QUEUE named it: the shell of a command need not have the variable. */
  queueName: string;
  qstashUrl: string;
  databaseUrl: string;
}

/** Writes the file and returns a function that removes it. Only its owner can read it, because it holds a password. */
export function writeRunning(dataDir: string, running: Running): () => void {
  const file = fileIn(dataDir);
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** `null` unless a start is running on the data folder. */
export function readRunning(dataDir: string): Running | null {
  try {
    const running = JSON.parse(readFileSync(fileIn(dataDir), "utf8")) as Running;
    return isAlive(running.pid) ? running : null;
  } catch {
    return null;
  }
}

function fileIn(dataDir: string): string {
  return join(dataDir, "running.json");
}
