import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Rig } from "./rig.ts";

const bootstrap = fileURLToPath(new URL("../../src/cli/bootstrap.mjs", import.meta.url));

/** Runs `npm run relay -- …` against the rig's server, as an operator would; its output. Rejects with it if it fails. */
export async function runRelayCommand({ baseUrl, opsToken }: Rig, args: string[]): Promise<string> {
  const env = { ...process.env, RELAY_URL: baseUrl, OPS_TOKEN: opsToken };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [bootstrap, "relay", ...args], { env });
    return stdout;
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    throw new Error(`relay ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: thrown });
  }
}
