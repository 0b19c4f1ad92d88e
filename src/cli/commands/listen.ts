import { type Command, Option } from "commander";

import { eventKinds } from "#instagram/events.ts";

import { addHelpNote } from "../add-help-note.ts";
import type { CommandContext } from "../command-context.ts";
import { choice, timeOption } from "../list-options.ts";
import { listen } from "../listen/listen.ts";

/** Adds `relay listen`. */
export function addListen(program: Command, context: CommandContext): void {
  const command = program
    .command("listen")
    .description("bring the events of a deployed relay to the one on this machine as they come, without a tunnel")
    .requiredOption("--from <url>", "the base URL of the deployed relay")
    .addOption(
      new Option("--token-env <name>", "the variable that holds a token of it, of role read").default("OPS_TOKEN_FROM"),
    )
    .addOption(choice("--to <route>", "the route of the relay on this machine", ["edge", "node"]).default("edge"))
    .addOption(timeOption("--since <time>", "also events ingested there since then: 2026-01-31T12:00:00Z, or 2h"))
    .addOption(choice("--kind <kind>", "only this kind", eventKinds))
    .addOption(new Option("--account <id>", "only this Instagram account"))
    .option("--json", "print a line of JSON for each event")
    .action((options) => listen(options, context));
  addHelpNote(
    command,
    "The events are signed with INSTAGRAM_APP_SECRET of the relay on this machine, which stores each of them once. What Meta sent with an event is the same; the bytes around it are not, and events that one delivery brought can arrive in several.",
  );
}
