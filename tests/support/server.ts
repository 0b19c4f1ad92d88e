import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { serverPreload } from "#cli/next-server.ts";
import { findFreePort } from "#cli/ports.ts";
import { until } from "#cli/until.ts";
import { systemClock } from "#platform/clock.ts";

export interface TestServer {
  baseUrl: string;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const startLimitMs = 30_000;
const stopLimitMs = 5_000;

export interface TestServerOptions {
  /** May depend on where the server will listen. */
  env: Record<string, string> | ((baseUrl: string) => Record<string, string>);
}

/** The built product on a free port, with exactly this environment; resolves once it answers. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const port = await findFreePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const env = typeof options.env === "function" ? options.env(baseUrl) : options.env;
  const next = fileURLToPath(new URL("../../node_modules/next/dist/bin/next", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--import", serverPreload, next, "start", "-H", "127.0.0.1", "-p", String(port)],
    {
      cwd: root,
      env: { PATH: process.env["PATH"], NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);

  const answers = await until(systemClock, startLimitMs, async () => isGone() || (await isAnswering(baseUrl)));
  if (!answers || isGone()) {
    abandon();
    throw new Error(`The server did not start:\n${output}`);
  }
  return {
    baseUrl,
    stop: async () => {
      process.off("exit", abandon);
      child.kill("SIGTERM");
      const cancel = systemClock.after(stopLimitMs, abandon);
      await exited;
      cancel();
    },
  };
}

async function isAnswering(baseUrl: string): Promise<boolean> {
  try {
    await fetch(`${baseUrl}/api/health`, { signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}
