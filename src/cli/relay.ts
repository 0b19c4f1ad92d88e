/** `npm run relay -- <command>`: commands for a running relay, on this machine or elsewhere. */
import { Command } from "commander";

import { addConform } from "./commands/conform.ts";
import { addDeadLetters } from "./commands/dead-letters.ts";
import { addDelivery } from "./commands/delivery.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDrift } from "./commands/drift.ts";
import { addEvents } from "./commands/events.ts";
import { addExplain } from "./commands/explain.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addPause } from "./commands/pause.ts";
import { addProbe } from "./commands/probe.ts";
import { addReplay } from "./commands/replay.ts";
import { addSchedule } from "./commands/schedule.ts";
import { addSignIn } from "./commands/sign-in.ts";
import { addTrigger } from "./commands/trigger.ts";
import { type CommandContext, createCommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";

const footer = `
The address of the relay and its secrets are taken from the environment (RELAY_URL, INSTAGRAM_APP_SECRET, OPS_TOKEN,
DATABASE_URL), otherwise from npm start on this machine (DATA_DIR, .data). Every command takes --json. The exit status
is 0 only if everything succeeded.`;

/** Runs one command; sets the exit status to 1 if it fails. */
export async function run(args: string[]): Promise<void> {
  const context = createCommandContext();
  try {
    await createProgram(context).parseAsync(args, { from: "user" });
  } catch (error) {
    const message = error instanceof CliFailure ? error.message : error instanceof Error ? error.stack : String(error);
    console.error(`${context.paintError("red", "✖")} ${message}`);
    process.exitCode = 1;
  }
}

/** All commands with their options. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("npm run relay --")
    .usage("<command> [options]")
    .description(
      "Sends deliveries to an Instagram Webhook Relay, shows what it stored, repairs what failed, and checks its configuration.",
    )
    .helpCommand(false)
    .showHelpAfterError("(npm run relay -- --help lists the commands)")
    .addHelpText("after", footer);
  for (const add of [
    addTrigger,
    addEvents,
    addDelivery,
    addDeadLetters,
    addReplay,
    addPause,
    addSchedule,
    addProbe,
    addDrift,
    addConform,
    addExplain,
    addMigrate,
    addDoctor,
    addSignIn,
  ])
    add(program, context);
  return program;
}
