import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { atExit } from "../support/at-exit.ts";
import { findWithin } from "../support/eventually.ts";

export interface Replica {
  port: number;
  /** Asks it to stop; resolves with its exit status when it has drained. */
  stop(): Promise<number | null>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const startLimitMs = 60_000;

/** One server of a relay, as systemd or a container starts it; resolves once it is ready. */
export async function startReplica(options: {
  port: number;
  env: Record<string, string>;
  onLine: (line: string) => void;
}): Promise<Replica> {
  const { port, env, onLine } = options;
  const child = spawn(process.execPath, ["--max-semi-space-size=32", "src/cli/serve.mjs"], {
    cwd: root,
    env: { PATH: process.env["PATH"], NODE_ENV: "production", PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", onLine);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const abandon = () => child.kill("SIGKILL");
  void closed.then(atExit(abandon));
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/api/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await findWithin(startLimitMs, async () => isGone() || (await isReady()));
  if (isGone()) throw new Error(`The server ended with ${child.exitCode ?? child.signalCode}`);
  return {
    port,
    async stop() {
      child.kill("SIGTERM");
      await closed;
      return child.exitCode;
    },
  };
}
