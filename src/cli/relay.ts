/** `npm run relay -- <command>`: small tools that talk to a running relay, this machine's or any other. */
import { Command } from "commander";

import { addConform } from "./commands/conform.ts";
import { addDeadLetters } from "./commands/dead-letters.ts";
import { addDelivery } from "./commands/delivery.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDrift } from "./commands/drift.ts";
import { addEvents } from "./commands/events.ts";
import { addExplain } from "./commands/explain.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addSignIn } from "./commands/sign-in.ts";
import { addTrigger } from "./commands/trigger.ts";
import { type CommandContext, createCommandContext } from "./command-context.ts";
import { CliFailure } from "#platform/failure.ts";

const footer = `
Where the relay is and its secrets come from the environment (RELAY_URL, INSTAGRAM_APP_SECRET, OPS_TOKEN, DATABASE_URL),
else from this machine's start (DATA_DIR, .data). Every command takes --json. Exit status 0 only if all went well.`;

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
  const program = new Command("relay")
    .usage("<command> [options]")
    .description("Sends deliveries to an Instagram Webhook Relay and reads what became of them.")
    .helpCommand(false)
    .showHelpAfterError("(npm run relay -- --help lists the commands)")
    .addHelpText("after", footer);
  for (const add of [
    addTrigger,
    addEvents,
    addDelivery,
    addDeadLetters,
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
