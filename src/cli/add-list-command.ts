import type { Command } from "commander";

import type { CommandContext } from "./command-context.ts";
import { readOps } from "./read-ops.ts";
import { type Cell, drawTable } from "./table.ts";

type Query = Record<string, string | undefined>;

export interface ListCommand<Page, Item> {
  /** Of the command and of its path below `/api/ops`. */
  name: string;
  description: string;
  options: readonly (readonly [flags: string, description: string])[];
  /** The query for the options that were given; the same names and values unless it is set. */
  toQuery?: (given: Query) => Query;
  items: (page: Page) => readonly Item[];
  /** Printed in place of an empty table. */
  empty: string;
  head: string[];
  row: (item: Item) => Cell[];
}

/** Adds a command that prints a list from the relay as a table, or as the server's JSON with `--json`. */
export function addListCommand<Page extends { nextCursor?: string | null }, Item>(
  program: Command,
  context: CommandContext,
  { name, description, options, toQuery = (given) => given, items, empty, head, row }: ListCommand<Page, Item>,
): void {
  const command = program.command(name).description(description);
  for (const [flags, meaning] of options) command.option(flags, meaning);
  command
    .option("--limit <n>", "the number of rows, at most")
    .option("--json", "print the server's JSON")
    .action(async ({ json, ...given }: { json?: boolean }) => {
      const page = await readOps<Page>(context, name, toQuery(given));
      if (json) return context.print(JSON.stringify(page, null, 2));
      const found = items(page);
      context.print(found.length === 0 ? empty : drawTable(head, found.map(row), context.paint));
      if (page.nextCursor) context.print(`For the next page add --cursor ${page.nextCursor}`);
    });
}

/** The option of every list that has pages. */
export const cursorOption = ["--cursor <cursor>", "the next page; the page before names its cursor"] as const;
