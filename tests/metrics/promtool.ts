import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const path = process.env["PROMTOOL_PATH"] ?? "/usr/bin/promtool";

/** Of Debian's package `prometheus`, which `.ci/run` installs. */
export const hasPromtool = existsSync(path);

/** What promtool says; empty if it has nothing to complain about. */
export function runPromtool(args: readonly string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(path, args, { input, encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}
