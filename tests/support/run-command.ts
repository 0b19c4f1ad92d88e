/** A command of `relay` in this process: a process of its own would take longer than what the command does. */
import { CommanderError } from "commander";

import type { CommandContext } from "#cli/command-context.ts";
import { createProgram } from "#cli/create-program.ts";
import { CliFailure } from "#platform/failure.ts";

export interface Ran {
  /** The sentence with which it failed; null if it did not. */
  failure: string | null;
  /** Set by a command that succeeded; null if it set none. */
  exitStatus: number | null;
  stdout: string;
  stderr: string;
  json(): Record<string, unknown>;
}

const opsToken = "ops-token-of-thirty-two-characters";

/** Where a command runs: with the secrets of `startTestRelay` unless others are given. Rejects for what is no `CliFailure`. */
export interface CommandPlace extends Partial<CommandContext> {
  /** The variables that it finds. */
  variables?: Record<string, string>;
}

export async function runCommand(args: readonly string[], { variables = {}, ...place }: CommandPlace): Promise<Ran> {
  let exitStatus: number | null = null;
  const [printed, noted]: [string[], string[]] = [[], []];
  const print = (text: string) => void printed.push(text);
  const context: CommandContext = {
    paint: (_style, text) => text,
    paintError: (_style, text) => text,
    width: Number.POSITIVE_INFINITY,
    zone: "UTC",
    isTerminal: false,
    folder: process.cwd(),
    signal: new AbortController().signal,
    baseUrl: () => "http://127.0.0.1:1",
    localUrl: () => "http://127.0.0.1:1",
    variable: (name) => variables[name],
    secret: (name) => (name === "INSTAGRAM_APP_SECRET" ? "app-secret" : opsToken),
    databaseUrl: () => "postgresql://127.0.0.1:1/none",
    print,
    write: (text) => Promise.resolve(print(text)),
    hasPrinted: () => printed.length > 0,
    exitWith: (given) => void (exitStatus = given),
    note: (text) => void noted.push(text),
    showProgress: () => {},
    ...place,
  };
  const program = createProgram(context).configureOutput({ writeErr: (text) => void noted.push(text) });
  for (const command of program.commands) command.copyInheritedSettings(program);
  const failure = await program.parseAsync(args, { from: "user" }).then(
    () => null,
    (thrown: unknown) => {
      if (thrown instanceof CliFailure || thrown instanceof CommanderError) return thrown.message;
      throw thrown;
    },
  );
  const stdout = printed.join("\n");
  return {
    failure,
    exitStatus,
    stdout,
    stderr: noted.join("\n"),
    json: () => JSON.parse(stdout) as Record<string, unknown>,
  };
}
