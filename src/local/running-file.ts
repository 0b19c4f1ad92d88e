/** What a running start tells the commands about itself. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isAlive } from "./processes.ts";

export interface Running {
  pid: number;
  baseUrl: string;
  qstashUrl: string;
  databaseUrl: string;
}

/** Returns what removes it again. It holds a password, as `secrets.json` does. */
export function writeRunning(dataDir: string, running: Running): () => void {
  const file = fileIn(dataDir);
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** `null` unless a start is running on that folder. */
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
