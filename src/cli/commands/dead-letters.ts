import type { Command } from "commander";

import type { DeadLetterPage } from "#dashboard/read-dead-letters.ts";

import { addListCommand, cursorOption } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";

/** Adds `relay dead-letters`. */
export function addDeadLetters(program: Command, context: CommandContext): void {
  addListCommand(program, context, {
    name: "dead-letters",
    description: "list the messages that QStash gave up, newest first",
    options: [cursorOption],
    items: ({ deadLetters }: DeadLetterPage) => deadLetters,
    empty: "No dead letters.",
    head: ["Id", "Recorded", "Status", "Retried", "Delivery", "URL"],
    row: ({ id, recordedAt, status, retried, deliveryId, url }) => [id, recordedAt, status, retried, deliveryId, url],
  });
}
