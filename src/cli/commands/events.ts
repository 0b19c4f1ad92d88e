import type { Command } from "commander";

import type { EventItem, EventPage } from "#dashboard/read-events.ts";

import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { drawTable } from "../table.ts";

interface Options {
  kind?: string;
  account?: string;
  q?: string;
  delivery?: string;
  from?: string;
  to?: string;
  limit?: string;
  cursor?: string;
  json?: boolean;
}

export function addEvents(program: Command, context: CommandContext): void {
  program
    .command("events")
    .description("list stored events, newest first")
    .option("--kind <kind>", "only this kind, e.g. message or comment")
    .option("--account <id>", "only this professional account")
    .option("--q <text>", "only events that contain this text")
    .option("--delivery <id>", "only what this delivery carried")
    .option("--from <time>", "ingested at or after, e.g. 2026-01-31T12:00:00Z")
    .option("--to <time>", "ingested before")
    .option("--limit <n>", "how many")
    .option("--cursor <cursor>", "the next page, from the page before")
    .option("--json", "print the server's JSON")
    .action(async ({ json, delivery, ...filter }: Options) => {
      const page = await readOps<EventPage>(context, "events", { ...filter, deliveryId: delivery });
      if (json) return context.print(JSON.stringify(page, null, 2));
      if (page.events.length === 0) return context.print("No events.");
      const rows = page.events.map((event) => [
        event.ingestedAt,
        event.kind,
        event.accountId,
        event.senderId,
        event.deliveryId,
        notes(event),
      ]);
      context.print(drawTable(["Ingested", "Kind", "Account", "Sender", "Delivery", "Notes"], rows, context.paint));
      if (page.nextCursor !== null) context.print(`More with --cursor ${page.nextCursor}`);
    });
}

function notes({ standby, test, drifted, handlerError, erasedAt }: EventItem): string {
  const failed = handlerError !== null && erasedAt === null;
  return [
    standby && "standby",
    test && "test",
    drifted && "drifted",
    failed && "handler failed",
    erasedAt !== null && "erased",
  ]
    .filter(Boolean)
    .join(", ");
}
