import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseEnv } from "node:util";

import type { EnvRecord } from "#platform/env.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

import { envLine } from "./format-secrets.ts";

/** The variables of an `.env` file; none if there is no such file. Throws a `CliFailure` if it cannot be read. */
export function readSecretsFile(path: string): EnvRecord {
  if (!existsSync(path)) return {};
  return parseEnv(orFail(path, () => readFileSync(path, "utf8")));
}

/**
 * Sets these variables in an `.env` file that only its owner can read: a line of the same name is replaced, the others stay
 * as they are. Written beside it and renamed, so that no end of the process leaves half a file. Throws a `CliFailure`.
 */
export function writeSecretsFile(path: string, values: readonly (readonly [name: string, value: string])[]): void {
  const lines = existsSync(path) ? orFail(path, () => readFileSync(path, "utf8")).split(/\r?\n/) : [];
  if (lines.at(-1) === "") lines.pop();
  for (const [name, value] of values) {
    const at = lines.findIndex((line) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line));
    if (at === -1) lines.push(envLine(name, value));
    else lines[at] = envLine(name, value);
  }
  orFail(path, () => {
    writeFileSync(`${path}.unfinished`, `${lines.join("\n")}\n`, { mode: 0o600 });
    // The mode above is only that of a file that was not there.
    chmodSync(`${path}.unfinished`, 0o600);
    renameSync(`${path}.unfinished`, path);
  });
}

function orFail<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CliFailure(`${path} cannot be used (${errorCodeOf(error) ?? String(error)}).`);
  }
}
