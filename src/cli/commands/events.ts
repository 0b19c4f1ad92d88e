import type { Command } from "commander";

import type { EventItem, EventPage } from "#dashboard/read-events.ts";

import { addListCommand, cursorOption } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";

/** Adds `relay events`. */
export function addEvents(program: Command, context: CommandContext): void {
  addListCommand(program, context, {
    name: "events",
    description: "list stored events, newest first",
    options: [
      ["--kind <kind>", "only this kind, e.g. message or comment"],
      ["--account <id>", "only this Instagram account"],
      ["--q <text>", "only events that contain this text"],
      ["--delivery <id>", "only the events of this delivery"],
      ["--from <time>", "only events ingested at this time or later, e.g. 2026-01-31T12:00:00Z"],
      ["--to <time>", "only events ingested before this time"],
      cursorOption,
    ],
    toQuery: ({ delivery, ...query }) => ({ ...query, deliveryId: delivery }),
    items: ({ events }: EventPage) => events,
    empty: "No events.",
    head: ["Ingested", "Kind", "Account", "Sender", "Delivery", "Notes"],
    row: (event) => [
      event.ingestedAt,
      event.kind,
      event.accountId,
      event.senderId,
      event.deliveryId,
      describeFlags(event),
    ],
  });
}

function describeFlags({ standby, test, drifted, handlerError, erasedAt }: EventItem): string {
  const isErased = erasedAt !== null;
  const flags = {
    standby,
    test,
    drifted,
    "handler failed": handlerError !== null && !isErased,
    erased: isErased,
  };
  return Object.entries(flags)
    .flatMap(([name, isSet]) => (isSet ? [name] : []))
    .join(", ");
}
