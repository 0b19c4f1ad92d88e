/** The server, `next start` or `next dev`, as a child process that drains and ends when its parent ends. */
import { spawn } from "node:child_process";
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { fetchWithin } from "#platform/bounded-fetch.ts";
import { settleWithin, systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import { aborted } from "./aborted.ts";
import { endingOf } from "./ending-of.ts";
import { type LogFile } from "./log-file.ts";
import { sendSignal } from "./processes.ts";
import { until } from "./until.ts";

/** `development` compiles each route when it is first asked for, and again after a change. Nothing else is different. */
export type ServerMode = "production" | "development";

export interface NextServerOptions {
  root: string;
  mode: ServerMode;
  host: string;
  port: number;
  baseUrl: string;
  env: Record<string, string>;
  logFile: LogFile;
  /** Aborts the start. */
  signal: AbortSignal;
}

export interface NextServer {
  pid: number;
  /** Resolves when the process has ended, with how. */
  exited: Promise<string>;
  /** Lets it finish its requests and the work after them, at most 30 s; an aborted `hurry` kills it at once. */
  stop(hurry?: AbortSignal): Promise<void>;
}

/** In development the first answer takes a compilation. */
const limits = {
  production: { readyMs: 30_000, requestMs: 5_000 },
  development: { readyMs: 180_000, requestMs: 60_000 },
};
const drainLimitMs = 30_000;
const killLimitMs = 5_000;

/**
 * Runs first in the server's process: stops it when the channel to the parent closes, as it does if the parent is killed.
 * `next dev` serves in a child of its own, whose channel must keep it alive until it has its orders.
 */
const preload = `
if (!process.env.NEXT_PRIVATE_WORKER) process.channel?.unref();
process.on("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), ${drainLimitMs}).unref();
});`;

/**
 * Node's options for `next start`. It stops when its parent ends. A request leaves several megabytes of garbage behind: with
 * 32 MB for young objects instead of 16 fewer of them live on to the next collection, which saves a seventh of the consumer's CPU time.
 */
export const serverNodeArgs = [
  "--max-semi-space-size=32",
  "--import",
  `data:text/javascript,${encodeURIComponent(preload)}`,
] as const;

/**
 * Resolves when `GET /api/health` says that the server can use its store, whatever it says of the queue. Throws a
 * `CliFailure` with the end of its log if it ends or is not healthy within 30 s, in development 180 s.
 */
export async function startNextServer(options: NextServerOptions): Promise<NextServer> {
  const isBuilt = options.mode === "production";
  const { readyMs, requestMs } = limits[options.mode];
  const next = join(options.root, "node_modules", "next", "dist", "bin", "next");
  const log = options.logFile.openForChild();
  // In a session of its own, so that Ctrl-C does not reach it before the broker has stopped dispatching. It writes into
  // the log file itself: a pipe through this process would break if this process is killed, and end the drain.
  const child = spawn(
    process.execPath,
    [...serverNodeArgs, next, isBuilt ? "start" : "dev", "-p", String(options.port), "-H", options.host],
    {
      cwd: options.root,
      env: {
        BUILD_ID: isBuilt ? readBuildId(options.root) : "development",
        ...options.env,
        NODE_ENV: options.mode,
        NEXT_TELEMETRY_DISABLED: "1",
      },
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
      windowsHide: true,
    },
  );
  closeSync(log);
  const exited = endingOf(child);
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
  const isReady = await until(systemClock, readyMs, async () => settled() || isHealthy(options.baseUrl, requestMs));
  if (isReady && !settled()) return { pid, exited, stop };
  const how = isGone() ? await exited : `was not healthy within ${readyMs / 1000} s`;
  await kill();
  options.signal.throwIfAborted();
  throw new CliFailure(`The server ${how}:\n${options.logFile.tail() || "(it said nothing)"}`);
}

async function isHealthy(baseUrl: string, limitMs: number): Promise<boolean> {
  try {
    const { text } = await fetchWithin(limitMs, `${baseUrl}/api/health`, {}, { fetch, clock: systemClock });
    return parseJsonObject(text)["store"] === "ok";
  } catch {
    return false;
  }
}

/** What names the build where no platform does, see `readDeployment`. */
function readBuildId(root: string): string {
  return readFileSync(join(root, ".next/BUILD_ID"), "utf8").trim();
}
