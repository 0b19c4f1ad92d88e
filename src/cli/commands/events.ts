import type { Command } from "commander";

import { eventStates } from "#dashboard/event-filter.ts";
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
      ["--sender <id>", "only this sender"],
      ["--q <text>", "only what has this id, or contains this text"],
      ["--state <state>", `only this state: ${eventStates.join(", ")}`],
      ["--error <name>", "only events that are retried or dead for this error, by its name or code"],
      ["--runtime <runtime>", "only what this runtime received: edge or nodejs"],
      ["--test <boolean>", "only events of the dashboard's Test button, or with false only others; so also:"],
      ["--standby <boolean>", "events of accounts that another app has control of"],
      ["--drifted <boolean>", "events that differ from the types that handlers get"],
      ["--replay <id>", "only the events of this replay"],
      ["--data <whole|none>", "with none, the JSON leaves out what Meta sent"],
      ["--delivery <id>", "only the events of this delivery"],
      ["--from <time>", "only events ingested at this time or later, e.g. 2026-01-31T12:00:00Z"],
      ["--to <time>", "only events ingested before this time"],
      cursorOption,
    ],
    toQuery: ({ delivery, ...query }) => ({ ...query, deliveryId: delivery }),
    items: ({ events }: EventPage) => events,
    empty: "No events on this page.",
    head: ["Ingested", "Kind", "State", "Account", "Sender", "Delivery", "Notes"],
    row: (event) => [
      event.ingestedAt,
      event.kind,
      describeState(event),
      event.accountId,
      event.senderId,
      event.deliveryId,
      describeFlags(event),
    ],
  });
}

function describeState({ state, attempts, handlerError, errorCode }: EventItem): string {
  if (state !== "retrying" && state !== "dead") return state;
  const error = [handlerError, errorCode].filter((part) => part !== null).join(" ");
  return `${state} after ${attempts}: ${error === "" ? "no result" : error}`;
}

function describeFlags({ standby, test, drifted, nextAttemptAt, state }: EventItem): string {
  const flags = {
    standby,
    test,
    drifted,
    [`next attempt ${nextAttemptAt}`]: state === "retrying",
  };
  return Object.entries(flags)
    .flatMap(([name, isSet]) => (isSet ? [name] : []))
    .join(", ");
}
