/** `npm start` as a person runs it: a process of its own, on free ports and a temporary data folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { commandLine, isAlive, sendSignal } from "#local/processes.ts";

import { findWithin } from "../support/eventually.ts";
import { findTestPort } from "../support/test-port.ts";

export const root = resolve(import.meta.dirname, "../..");

export interface Place {
  env: Record<string, string>;
  baseUrl: string;
  dataDir: string;
  /** Everything that still runs for this place: its data folder is on the command line or in the environment. */
  processes(): { pid: number; command: string }[];
  remove(): void;
}

/** Longer than a start itself waits for its server, so that a start that fails says why. */
const limitMs = 60_000;

export async function createPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "relay-start-"));
  chmodSync(folder, 0o711);
  const dataDir = join(folder, "data");
  const [port, qstashPort] = [await findTestPort(), await findTestPort()];
  // What a surrounding `npm test` sets must not reach the start.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_ENV$|VITEST|DATABASE_URL$|QSTASH_|RELAY_URL$)/.test(name),
  );
  return {
    env: {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      PORT: String(port),
      QSTASH_PORT: String(qstashPort),
      DATA_DIR: dataDir,
      NO_COLOR: "1",
    },
    baseUrl: `http://127.0.0.1:${port}`,
    dataDir,
    processes: () =>
      listProcesses().filter(({ command, environment }) => `${command} ${environment}`.includes(dataDir)),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export interface StartProcess {
  child: ChildProcess;
  output(): string;
  /** Resolves with the exit status (or the signal) once the process is gone and its output complete. */
  exited: Promise<number | NodeJS.Signals>;
  /** Fails with the output if the process ends first. */
  untilRunning(withinMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals, to: "process" | "group"): void;
}

/** `npm` by default, in a process group of its own as a shell would give it; `node` leaves npm out. */
export function startProcess(
  place: Place,
  how: "npm" | "node" = "npm",
  env: Record<string, string> = {},
  { folder = root, command = "start" }: { folder?: string; command?: "start" | "dev" } = {},
): StartProcess {
  // Without npm in between, a start that thinks it was run by npm takes our end, a killed test run's, for npm's.
  const [file, args, given] =
    how === "npm"
      ? ["npm", ["start"], env]
      : [process.execPath, ["src/cli/bootstrap.mjs", command], { npm_lifecycle_event: "start", ...env }];
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...place.env, ...given } as NodeJS.ProcessEnv,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  let isGone = false;
  const exited = new Promise<number | NodeJS.Signals>((settle) => {
    child.once("close", (code, signal) => {
      isGone = true;
      settle(code ?? signal ?? -1);
    });
  });
  return {
    child,
    output: () => output,
    exited,
    untilRunning: async (withinMs = limitMs) => {
      const isRunning = () => output.includes("is running");
      await findWithin(withinMs, () => isGone || isRunning());
      if (!isRunning()) throw new Error(`It did not start:\n${output}`);
    },
    signal: (signal, to) => sendSignal(to === "group" ? -(child.pid ?? 0) : (child.pid ?? 0), signal),
  };
}

/** Waits until nothing of the place runs any more, and names what still does if that takes too long. */
export async function untilNothingRuns(place: Place): Promise<void> {
  if (await findWithin(limitMs, () => place.processes().length === 0)) return;
  throw new Error(
    `Still running: ${place
      .processes()
      .map(({ pid, command }) => `${pid} ${command}`)
      .join("\n")}`,
  );
}

/** A process may rename itself, as Next does; the environment it was started with stays. */
export function listProcesses(): { pid: number; command: string; environment: string }[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isAlive(pid))
    .map((pid) => ({ pid, command: commandLine(pid) ?? "", environment: readEnvironment(pid) }));
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
