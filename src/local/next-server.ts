/** The production server, `next start`, as a child that outlives neither a drain nor us. */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { join } from "node:path";

import { fetchWithin } from "#platform/bounded-fetch.ts";
import { settleWithin, systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import { aborted } from "./aborted.ts";
import { type LogFile } from "./log-file.ts";
import { sendSignal } from "./processes.ts";
import { until } from "./until.ts";

export interface NextServerOptions {
  root: string;
  host: string;
  port: number;
  baseUrl: string;
  env: Record<string, string>;
  logFile: LogFile;
  /** Gives up waiting for it. */
  signal: AbortSignal;
}

export interface NextServer {
  pid: number;
  /** Resolves when the process is gone, asked or not. */
  exited: Promise<void>;
  /** Lets it finish its requests and what follows them; an aborted `hurry` ends it at once. */
  stop(hurry?: AbortSignal): Promise<void>;
}

const readyLimitMs = 30_000;
const requestLimitMs = 5_000;
const drainLimitMs = 30_000;
const killLimitMs = 5_000;

/**
 * Runs first in the server's process. A parent that was killed cannot tell its child; the closed channel does.
 */
const preload = `
process.channel?.unref();
process.on("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), ${drainLimitMs}).unref();
});`;

/** For `node --import`: what `next start` needs to be our server. */
export const serverPreload = `data:text/javascript,${encodeURIComponent(preload)}`;

/** Resolves when `GET /api/health` says that it can use its store, whatever else that may find. */
export async function startNextServer(options: NextServerOptions): Promise<NextServer> {
  const next = join(options.root, "node_modules", "next", "dist", "bin", "next");
  const log = options.logFile.openForChild();
  // In a session of its own, so that Ctrl-C does not reach it before the broker has stopped dispatching; straight into
  // the file, because a pipe through us would break when we are killed, and the drain with it.
  const child = spawn(
    process.execPath,
    ["--import", serverPreload, next, "start", "-p", String(options.port), "-H", options.host],
    {
      cwd: options.root,
      env: { ...options.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
      windowsHide: true,
    },
  );
  closeSync(log);
  const exited = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const pid = child.pid;
  if (pid === undefined) throw new CliFailure("The server's process could not be started.");
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const kill = async () => {
    sendSignal(process.platform === "win32" ? pid : -pid, "SIGKILL");
    await settleWithin(systemClock, killLimitMs, exited);
  };
  const stop = async (hurry?: AbortSignal) => {
    if (isGone()) return;
    child.kill("SIGTERM");
    await settleWithin(systemClock, drainLimitMs, Promise.race([exited, ...(hurry ? [aborted(hurry)] : [])]));
    if (!isGone()) await kill();
  };

  const settled = () => isGone() || options.signal.aborted;
  const isReady = await until(systemClock, readyLimitMs, async () => settled() || isHealthy(options.baseUrl));
  if (isReady && !settled()) return { pid, exited, stop };
  const how = isGone() ? "ended by itself" : `was not healthy within ${readyLimitMs / 1000} s`;
  await kill();
  options.signal.throwIfAborted();
  throw new CliFailure(`The server ${how}:\n${options.logFile.tail() || "(it said nothing)"}`);
}

async function isHealthy(baseUrl: string): Promise<boolean> {
  try {
    const { text } = await fetchWithin(requestLimitMs, `${baseUrl}/api/health`, {}, { fetch, clock: systemClock });
    return parseJsonObject(text)["store"] === "ok";
  } catch {
    return false;
  }
}
