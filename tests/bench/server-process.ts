import { fork } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findFreePort } from "#local/ports.ts";

import { atExit } from "../support/at-exit.ts";
import { findWithin } from "../support/eventually.ts";
import { holdChild } from "./bench-child.ts";
import { nextBin } from "./next-app.ts";

export interface ServerUsage {
  /** Of all threads since the start, by user and kernel. */
  cpuMs: number;
  rssBytes: number;
  /** What JavaScript holds, its buffers included. */
  heldBytes: number;
}

export interface BenchServer {
  baseUrl: string;
  /** `collect`: after the garbage has been collected, for which the server needs `--expose-gc`. */
  readUsage(options?: { collect?: boolean }): Promise<ServerUsage>;
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  /** Of the built app. */
  folder: string;
  /** May depend on where the server will listen. */
  env: Record<string, string> | ((baseUrl: string) => Record<string, string>);
  /** Node's own options. */
  nodeArgs?: readonly string[];
}

const startLimitMs = 30_000;

/** Runs first in the server: answers what only the process itself knows, and ends when the bench has ended. */
const preload = `
process.on("disconnect", () => process.exit());
process.on("message", async ({ usage }) => {
  if (!usage) return;
  // The second finds what the finalizers of the first have let go.
  for (let round = 0; usage.collect && round < 2; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ answer: { cpuMs: (user + system) / 1_000, rssBytes: rss, heldBytes: heapUsed + external } });
});`;

/** `next start` on a free port, with exactly this environment; resolves once it answers. */
export async function startBenchServer({ folder, env, nodeArgs = [] }: BenchServerOptions): Promise<BenchServer> {
  const port = await findFreePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const variables = typeof env === "function" ? env(baseUrl) : env;
  const logFolder = mkdtempSync(join(tmpdir(), "relay-bench-log-"));
  const removeLog = () => rmSync(logFolder, { recursive: true, force: true });
  const cancelExit = atExit(removeLog);
  // Into a file as `npm start` does: through a pipe to us the bench would pay for every line.
  const logFile = join(logFolder, "server.log");
  const log = openSync(logFile, "a");
  const child = holdChild(
    fork(nextBin, ["start", "-H", "127.0.0.1", "-p", String(port)], {
      cwd: folder,
      execArgv: ["--import", `data:text/javascript,${encodeURIComponent(preload)}`, ...nodeArgs],
      env: { PATH: process.env["PATH"], NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ...variables },
      stdio: ["ignore", log, log, "ipc"],
    }),
    "server",
  );
  closeSync(log);

  const isReady = await findWithin(startLimitMs, async () => child.isGone() || (await isAnswering(baseUrl)));
  if (!isReady || child.isGone()) {
    await child.stop();
    throw new Error(`The server did not start:\n${readFileSync(logFile, "utf8")}`);
  }
  return {
    baseUrl,
    readUsage: ({ collect = false } = {}) => child.ask<ServerUsage>({ usage: { collect } }),
    async stop() {
      await child.stop();
      removeLog();
      cancelExit();
    },
  };
}

async function isAnswering(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/api/health`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
