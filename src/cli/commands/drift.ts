import type { Command } from "commander";

import type { DriftReport } from "#dashboard/events/read-drift.ts";

import { addListCommand } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";

/** Adds `relay drift`. */
export function addDrift(program: Command, context: CommandContext): void {
  addListCommand(program, context, {
    name: "drift",
    path: "drift",
    description: "list where Meta's events differ from the types that handlers get, last seen first",
    options: [],
    items: ({ drift }: DriftReport & { nextCursor?: null }) => drift,
    empty: "No drift: all events had the expected form.",
    head: ["Kind", "Path", "Finding", "Shape", "Events", "First seen", "Last seen", "Last event"],
    row: (item) => [
      item.kind,
      item.path,
      item.finding,
      item.shape,
      item.count,
      item.firstSeen,
      item.lastSeen,
      item.eventId,
    ],
  });
}
