/** `npm run relay` as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

import { root } from "./start-process.ts";

export const appSecret = "the app's secret";

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function relay(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return startRelay(args, env).ended;
}

export function startRelay(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcessWithoutNullStreams; ended: Promise<Ended> } {
  const given = {
    INSTAGRAM_APP_SECRET: appSecret,
    OPS_TOKEN: "the-token",
    DATABASE_URL: "",
    RELAY_URL: "",
    NO_COLOR: "1",
    ...env,
  };
  const child = spawn(process.execPath, ["src/cli/bootstrap.mjs", "relay", ...args], {
    cwd: root,
    env: { ...process.env, ...given },
  });
  return { child, ended: spawned(child) };
}

/** Resolves when the process has ended and its output is complete. */
export async function spawned(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}
