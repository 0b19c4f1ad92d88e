import type { Command } from "commander";

import type { DeadLetterPage } from "#dashboard/read-dead-letters.ts";

import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { drawTable } from "../table.ts";

interface Options {
  limit?: string;
  cursor?: string;
  json?: boolean;
}

export function addDeadLetters(program: Command, context: CommandContext): void {
  program
    .command("dead-letters")
    .description("list what QStash gave up on, newest first")
    .option("--limit <n>", "how many")
    .option("--cursor <cursor>", "the next page, from the page before")
    .option("--json", "print the server's JSON")
    .action(async ({ json, ...filter }: Options) => {
      const page = await readOps<DeadLetterPage>(context, "dead-letters", filter);
      if (json) return context.print(JSON.stringify(page, null, 2));
      if (page.deadLetters.length === 0) return context.print("No dead letters.");
      const rows = page.deadLetters.map((letter) => [
        letter.id,
        letter.recordedAt,
        letter.status,
        letter.retried,
        letter.deliveryId,
        letter.url,
      ]);
      context.print(drawTable(["Id", "Recorded", "Status", "Retried", "Delivery", "URL"], rows, context.paint));
      if (page.nextCursor !== null) context.print(`More with --cursor ${page.nextCursor}`);
    });
}
