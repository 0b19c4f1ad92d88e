/** `npm run relay` as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

import { bundle } from "../support/bundle.ts";
import { root } from "./start-process.ts";

export const appSecret = "the app's secret";

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command from a bundle, in a third of the time. */
export async function relay(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return spawned(startNode([await bundle(new URL("relay-main.ts", import.meta.url)), ...args], env));
}

/** Starts a command from source, as npm does. */
export function startRelay(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcessWithoutNullStreams; ended: Promise<Ended> } {
  const child = startNode(["src/cli/bootstrap.mjs", "relay", ...args], env);
  return { child, ended: spawned(child) };
}

function startNode(args: string[], env: Record<string, string>): ChildProcessWithoutNullStreams {
  const given = {
    INSTAGRAM_APP_SECRET: appSecret,
    OPS_TOKEN: "the-token",
    DATABASE_URL: "",
    RELAY_URL: "",
    NO_COLOR: "1",
    ...env,
  };
  return spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...given } });
}

/** Resolves when the process has ended and its output is complete. */
export async function spawned(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}
