import { type Command, Option } from "commander";

import type { Count } from "#store/connection/capped-count.ts";

import type { CommandContext } from "./command-context.ts";
import { pageOptions } from "./list-options.ts";
import { readOps } from "./read-ops.ts";
import { type Cell, drawTable } from "./table.ts";

type Query = Record<string, string | undefined>;

interface Paged {
  nextCursor?: string | null;
  /** Of a page that was asked for it. */
  total?: Count;
}

/** How a list of the relay is shown. */
export interface List<Page, Item> {
  /** Below `/api/ops`, and below `/dashboard`. */
  path: string;
  items: (page: Page) => readonly Item[];
  /** Said in place of an empty table. */
  empty: string;
  /** The titles of the columns, or which of them the found items need; a row is cut to as many cells. */
  head: readonly string[] | ((found: readonly Item[]) => readonly string[]);
  row: (item: Item) => Cell[];
}

export interface ListCommand<Page, Item> extends List<Page, Item> {
  name: string;
  description: string;
  options: readonly Option[];
  /** The query for the options that were given; the same names and values unless it is set. */
  toQuery?: (given: Query) => Query;
}

/** Adds a command that prints a list from the relay as a table, or as the server's JSON with `--json`. */
export function addListCommand<Page extends Paged, Item>(
  program: Command,
  context: CommandContext,
  { name, description, options, toQuery = (given) => given, ...list }: ListCommand<Page, Item>,
): Command {
  const command = program.command(name).description(description);
  for (const option of [...options, ...pageOptions, jsonOption]) command.addOption(option);
  return command.action(({ json, ...given }: { json?: boolean }) => printList(context, list, toQuery(given), json));
}

/** Prints one page of a list; what is no row is said on standard error. */
export async function printList<Page extends Paged, Item>(
  context: CommandContext,
  { path, items, empty, head, row }: List<Page, Item>,
  query: Query,
  json: boolean | undefined,
): Promise<void> {
  const page = await readOps<Page>(context, path, query);
  if (json) return context.print(JSON.stringify(page, null, 2));
  const found = items(page);
  if (found.length === 0) context.note(empty);
  else {
    const titles = typeof head === "function" ? head(found) : head;
    const rows = found.map((one) => row(one).slice(0, titles.length));
    context.print(drawTable(titles, rows, context.paint, context));
  }
  const { total } = page;
  if (total !== undefined)
    context.note(`${total.isCapped ? "Over " : ""}${total.count.toLocaleString("en-US")} in all.`);
  if (page.nextCursor) context.note(`For the next page add --cursor ${page.nextCursor}`);
  const { cursor: _, limit: __, count: ___, ...shown } = query;
  noteLink(context, path, shown);
}

/** Says where the dashboard shows the same. */
export function noteLink(context: CommandContext, path: string, query: Query = {}): void {
  context.note(context.paintError("dim", `On the dashboard: ${linkTo(context, path, query)}`));
}

/** The address of a page of the dashboard. */
export function linkTo(context: CommandContext, path: string, query: Query = {}): string {
  const url = new URL(`${context.baseUrl()}/dashboard/${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

export const jsonOption = new Option("--json", "print the server's JSON");
