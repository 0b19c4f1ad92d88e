/** The events of the relay as the commands filter and show them. */
import { Option } from "commander";

import { askedStates } from "#dashboard/events/event-filter.ts";
import type { EventItem } from "#dashboard/events/read-events.ts";
import { eventKinds } from "#instagram/events.ts";
import { runtimes } from "#platform/delivery.ts";

import { choice, flagOption, timeOption } from "./list-options.ts";
import type { Cell } from "./table.ts";

type Query = Record<string, string | undefined>;

/** The filters of `/api/ops/events`. */
export const eventFilters: readonly Option[] = [
  choice("--kind <kind>", "only this kind", eventKinds),
  new Option("--account <id>", "only this Instagram account"),
  new Option("--sender <id>", "only this sender"),
  new Option("--q <text>", "only what has this id, or contains this text"),
  choice("--state <state>", "only this state", askedStates),
  new Option("--error <name>", "only events that are retried or dead for this error, by its name or code"),
  choice("--runtime <runtime>", "only what this runtime received", runtimes),
  flagOption("--test <boolean>", "only events of Meta's Test button, or with false only others; so also:"),
  flagOption("--standby <boolean>", "events of accounts that another app has control of"),
  flagOption("--drifted <boolean>", "events that differ from the types that handlers get"),
  new Option("--replay <id>", "only the events of this replay"),
  choice("--data <data>", "with none, the JSON leaves out what Meta sent", ["whole", "none"]),
  new Option("--delivery <id>", "only the events of this delivery"),
  timeOption(
    "--from <time>",
    "only events ingested at this time or later: 2026-01-31T12:00:00Z, or 2h for two hours ago",
  ),
  timeOption("--to <time>", "only events ingested before this time"),
];

/** The query for the options that were given. */
export function toEventQuery({ delivery, ...query }: Query): Query {
  return { ...query, deliveryId: delivery };
}

export const eventHead = ["Event", "Ingested", "Kind", "State", "Account", "Sender", "Delivery", "Notes"];

/** A row of the table of events. */
export function eventRow(event: EventItem): Cell[] {
  const { id, ingestedAt, kind, accountId, senderId, deliveryId } = event;
  return [id, ingestedAt, kind, describeState(event), accountId, senderId, deliveryId, describeFlags(event)];
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
