import type { Command } from "commander";

import { CliFailure } from "#platform/failure.ts";

import { jsonOption } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { drawTable } from "../table.ts";

interface Found {
  matches: { type: string; id: string; href: string }[];
  /** Why there may be none. */
  reason: string | null;
}

/** Adds `relay find`, which fails if nothing has the id. */
export function addFind(program: Command, context: CommandContext): void {
  program
    .command("find")
    .argument(
      "<id>",
      "of a delivery, event, message, comment, person, account, queue message, dead letter, trace, replay or backfill",
    )
    .description("find what has an id, whatever kind of id it is")
    .addOption(jsonOption)
    .action(async (id: string, { json }: { json?: boolean }) => {
      const found = await readOps<Found>(context, "find", { q: id });
      if (json) context.print(JSON.stringify(found, null, 2));
      else if (found.matches.length > 0) context.print(showMatches(found, context));
      if (found.matches.length === 0) throw new CliFailure(found.reason ?? "Nothing has this id.");
    });
}

function showMatches({ matches }: Found, context: CommandContext): string {
  const rows = matches.map(({ type, id, href }) => [type, id, new URL(href, context.baseUrl()).href]);
  return drawTable(["What", "Id", "Where it is shown"], rows, context.paint, context);
}
