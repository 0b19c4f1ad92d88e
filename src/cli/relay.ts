/** `relay <command>`: commands for a running relay, on this machine or elsewhere. */
import { CommanderError } from "commander";

import { aborted } from "#local/aborted.ts";
import { listenForStop } from "#local/stop-request.ts";
import { settleWithin, systemClock } from "#platform/clock.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";

import { type CommandContext, createCommandContext } from "./command-context.ts";
import { createProgram } from "./create-program.ts";
import { RelayRefusal } from "./read-ops.ts";

/** As shells report a program that Ctrl-C has ended. */
const interruptedStatus = 130;
/** In which an interrupted command prints what there is. */
const lastWordsMs = 2_000;

/** Runs one command. Sets the exit status to 1 if it fails, and ends the process with 130 if it is interrupted. */
export async function run(args: string[]): Promise<void> {
  const stop = listenForStop(() => systemClock.monotonicMs());
  stop.hurry.addEventListener("abort", () => process.exit(interruptedStatus));
  endWithReader();
  const context = createCommandContext(stop.signal);
  const running = createProgram(context)
    .parseAsync(args, { from: "user" })
    .then(
      () => undefined,
      (thrown: unknown) => {
        if (!stop.signal.aborted) fail(thrown, args.includes("--json"), context);
      },
    );
  await Promise.race([running, aborted(stop.signal)]);
  if (!stop.signal.aborted) return;
  await settleWithin(systemClock, lastWordsMs, running);
  context.showProgress("");
  process.stdout.write("", () => process.exit(interruptedStatus));
}

/** `relay events | head` ends when head has its lines: that is no failure. */
function endWithReader(): void {
  process.stdout.on("error", (error) => {
    if (errorCodeOf(error) === "EPIPE") process.exit();
    process.stderr.write(`✖ The result could not be written (${errorCodeOf(error) ?? error.message}).\n`);
    process.exit(1);
  });
  process.stderr.on("error", () => {});
}

/** Without what moves a terminal's cursor or turns a line around: a server's answer may be part of it. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (character) =>
    /[\n\t]/.test(character) ? character : "\u{FFFD}",
  );
}

/**
 * Prints the sentence on standard error. With `--json` the error is the result too, unless a result is printed already:
 * standard output has one JSON value in any case.
 */
function fail(thrown: unknown, wantsJson: boolean, context: CommandContext): void {
  context.showProgress("");
  // Commander has printed its sentence, or the help that was asked for.
  const isPrinted = thrown instanceof CommanderError;
  process.exitCode = isPrinted ? thrown.exitCode : 1;
  if (process.exitCode === 0) return;
  const isExpected = thrown instanceof CliFailure || isPrinted;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!isPrinted) {
    const trace = thrown instanceof Error ? (thrown.stack ?? message) : message;
    context.note(`${context.paintError("red", "✖")} ${printable(isExpected ? message : trace)}`);
  }
  if (!wantsJson || context.hasPrinted()) return;
  const refusal = thrown instanceof RelayRefusal ? { status: thrown.status, code: thrown.code } : {};
  context.print(JSON.stringify({ error: { message: message.replace(/^error: /, ""), ...refusal } }, null, 2));
}
