import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { serverNodeArgs } from "#local/next-server.ts";
import { systemClock } from "#platform/clock.ts";

import { atExit } from "./at-exit.ts";
import { findWithin } from "./eventually.ts";
import { findTestPort } from "./test-port.ts";

export interface TestServer {
  baseUrl: string;
  port: number;
  /** Resolves when the process is gone and its output heard, with its exit status; null if a signal ended it. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<number | null>;
  /** Resolves when the process is gone, for whatever reason. */
  exited: Promise<void>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const startLimitMs = 90_000;
const drainLimitMsDefault = 5_000;
/**
 * Next reads `.env.local` for what is not set: a server of the tests must not take the batches of a developer's queue, nor
 * send to others.
 */
const notOfFiles = {
  SQS_QUEUE_URL: "",
  QUEUE_REDIS_REST_URL: "",
  UPSTASH_REDIS_REST_URL: "",
  KV_REST_API_URL: "",
  ALERT_WEBHOOK_URL: "",
  INSTAGRAM_ACCESS_TOKEN: "",
};
/** What is kept of its output, to be shown if it does not start. */
const tailLinesMax = 50;

export interface TestServerOptions {
  /** May depend on where the server will listen. */
  env: Record<string, string> | ((baseUrl: string) => Record<string, string>);
  /** Of another built app; the product's unless given. */
  folder?: string;
  /** A free one unless given. */
  port?: number;
  /** Hears every line of the server's output. */
  onLine?: (line: string) => void;
  /** How long it may take to end after a SIGTERM; then it is killed. */
  drainLimitMs?: number;
}

/** The built product, with exactly this environment; resolves once it answers. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const port = options.port ?? (await findTestPort());
  const baseUrl = `http://127.0.0.1:${port}`;
  const env = typeof options.env === "function" ? options.env(baseUrl) : options.env;
  const next = fileURLToPath(new URL("../../node_modules/next/dist/bin/next", import.meta.url));
  const child = spawn(process.execPath, [...serverNodeArgs, next, "start", "-H", "127.0.0.1", "-p", String(port)], {
    cwd: options.folder ?? root,
    env: { PATH: process.env["PATH"], NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ...notOfFiles, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const tail: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      if (tail.push(line) > tailLinesMax) tail.shift();
      options.onLine?.(line);
    });
  }
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const abandon = () => child.kill("SIGKILL");
  // Also of one that ends by itself and is started again.
  void closed.then(atExit(abandon));

  const answers = await findWithin(startLimitMs, async () => isGone() || (await isAnswering(baseUrl)));
  if (!answers || isGone()) {
    abandon();
    await closed;
    throw new Error(`The server did not start:\n${tail.join("\n")}`);
  }
  return {
    baseUrl,
    port,
    exited: closed,
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      const cancel = systemClock.after(options.drainLimitMs ?? drainLimitMsDefault, abandon);
      await closed;
      cancel();
      return child.exitCode;
    },
  };
}

async function isAnswering(baseUrl: string): Promise<boolean> {
  try {
    // A static file: a health check under load waits for the database like everybody else.
    await fetch(`${baseUrl}/icon.svg`, { signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}
