/** `npm run relay` as a process of its own. */
import { spawn } from "node:child_process";

import { bundle } from "../support/bundle.ts";
import { root } from "./start-process.ts";

export const appSecret = "the app's secret";

export interface CommandResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command from a bundle: as `npm run relay` does, in a third of the time. */
export async function relay(args: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return runNode([await bundle(new URL("relay-main.ts", import.meta.url)), ...args], env);
}

/** Runs a command from source, as npm starts it. */
export function relayFromSource(args: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return runNode(["src/cli/bootstrap.mjs", "relay", ...args], env);
}

async function runNode(args: string[], env: Record<string, string>): Promise<CommandResult> {
  const given = {
    INSTAGRAM_APP_SECRET: appSecret,
    OPS_TOKEN: "the-token",
    DATABASE_URL: "",
    RELAY_URL: "",
    NO_COLOR: "1",
    ...env,
  };
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...given } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (stderr += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}
