import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
 * Sets these variables in an `.env` file that only its owner can read: lines of the same name are replaced, the others stay
 * as they are. Written beside it and renamed, so that no end of the process leaves half a file; of a link the file that it
 * leads to. Throws a `CliFailure`, also where the file would then say something else of another variable.
 */
export function writeSecretsFile(path: string, values: readonly (readonly [name: string, value: string])[]): void {
  const target = existsSync(path) ? orFail(path, () => realpathSync(path)) : path;
  const before = existsSync(target) ? orFail(path, () => readFileSync(target, "utf8")) : "";
  const after = setVariables(before, values);
  if (!isSame(parseEnv(after), { ...parseEnv(before), ...Object.fromEntries(values) })) {
    const names = values.map(([name]) => name).join(", ");
    throw new CliFailure(
      `${path} is left as it was: a value of several lines in it has a line that begins with one of ${names}. Name another file.`,
    );
  }
  orFail(path, () => {
    const unfinished = `${target}.unfinished`;
    // Another one's file or link of this name would keep its mode, or lead elsewhere.
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, after, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, target);
  });
}

/** The first line of a name has the new value; further ones go, because the last one would count. */
function setVariables(text: string, values: readonly (readonly [name: string, value: string])[]): string {
  let lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  for (const [name, value] of values) {
    const isOf = (line: string) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line);
    const at = lines.findIndex(isOf);
    if (at === -1) lines.push(envLine(name, value));
    else lines = lines.flatMap((line, index) => (index === at ? envLine(name, value) : isOf(line) ? [] : line));
  }
  return `${lines.join("\n")}\n`;
}

function isSame(one: EnvRecord, other: EnvRecord): boolean {
  const names = Object.keys(other);
  return Object.keys(one).length === names.length && names.every((name) => one[name] === other[name]);
}

function orFail<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CliFailure(`${path} cannot be used (${errorCodeOf(error) ?? String(error)}).`);
  }
}
