import { type Command, Option } from "commander";

import type { EventItem, EventPage } from "#dashboard/events/read-events.ts";
import { CliFailure } from "#platform/failure.ts";

import { jsonOption, printList } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { eventFilters, eventHead, eventRow, toEventQuery } from "../event-list.ts";
import { followRelay } from "../follow-relay.ts";
import { countOption, pageOptions } from "../list-options.ts";
import { readOps } from "../read-ops.ts";
import { showCell } from "../table.ts";

interface Options extends Record<string, string | boolean | undefined> {
  follow?: boolean;
  all?: boolean | undefined;
  json?: boolean | undefined;
}

/** Adds `relay events`. */
export function addEvents(program: Command, context: CommandContext): void {
  const command = program.command("events").description("list stored events, newest first, or show them as they come");
  for (const option of eventFilters) command.addOption(option);
  command
    .addOption(new Option("-f, --follow", "show events as they are ingested, from now on or from --from on"))
    .addOption(new Option("--all", "all pages, as lines of JSON"));
  for (const option of [countOption, ...pageOptions, jsonOption]) command.addOption(option);
  command.action(async ({ follow, all, json, ...given }: Options) => {
    const query = toEventQuery(given as Record<string, string | undefined>);
    if (follow) return followEvents(query, { all, json }, context);
    if (all) return printAll(query, context);
    const items = ({ events }: EventPage): EventItem[] => events;
    const empty = "No events on this page.";
    return printList(context, { path: "events", items, empty, head: eventHead, row: eventRow }, query, json);
  });
}

type Query = Record<string, string | undefined>;

async function printAll(query: Query, context: CommandContext): Promise<void> {
  let cursor = query["cursor"];
  do {
    const page: EventPage = await readPage({ limit: "200", ...query, cursor }, context);
    for (const event of page.events) await context.write(JSON.stringify(event));
    cursor = page.nextCursor ?? undefined;
    context.showProgress(page.scannedTo === null ? "" : `Looked at events back to ${page.scannedTo}`);
  } while (cursor !== undefined && !context.signal.aborted);
  context.showProgress("");
}

/** A failure names the place to go on from: the lines before it are printed. */
async function readPage(query: Query, context: CommandContext): Promise<EventPage> {
  try {
    return await readOps<EventPage>(context, "events", query);
  } catch (thrown) {
    if (!(thrown instanceof CliFailure) || query["cursor"] === undefined) throw thrown;
    throw new CliFailure(`${thrown.message} --cursor ${query["cursor"]} goes on from there.`);
  }
}

async function followEvents(
  { from, ...filter }: Query,
  { all, json }: Pick<Options, "all" | "json">,
  context: CommandContext,
): Promise<void> {
  const unfit =
    ["to", "cursor", "limit", "count"].find((name) => filter[name] !== undefined) ?? (all ? "all" : undefined);
  if (unfit !== undefined) throw new CliFailure(`--follow shows what comes: it does not go with --${unfit}.`);
  const read = (query: Query) => readOps<EventPage>(context, "events", query);
  for await (const events of followRelay({ read, filter, since: from, context })) {
    for (const event of events) await context.write(json ? JSON.stringify(event) : eventLine(event, context));
  }
}

function eventLine(event: EventItem, { paint, zone }: CommandContext): string {
  const [id, at, ...rest] = eventRow(event).filter((cell) => cell !== "" && cell !== null);
  const texts = [paint("dim", showCell(at, zone)), showCell(id), ...rest.map((cell) => showCell(cell, zone))];
  return texts.join("  ");
}
