import { type Command, Option } from "commander";

import type { DeliveryItem } from "#dashboard/deliveries/delivery-columns.ts";
import type { DeliveryPage } from "#dashboard/deliveries/read-deliveries.ts";
import { forwardOutcomes, runtimes } from "#platform/delivery.ts";

import { addListCommand } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { choice, countOption, flagOption, timeOption } from "../list-options.ts";

/** Adds `relay deliveries`. */
export function addDeliveries(program: Command, context: CommandContext): void {
  addListCommand(program, context, {
    name: "deliveries",
    path: "deliveries",
    description: "list deliveries from Instagram, last received first; relay delivery <id> shows one",
    options: [
      choice("--outcome <outcome>", "only deliveries whose forward ended so", forwardOutcomes),
      choice("--runtime <runtime>", "only what this runtime received", runtimes),
      new Option("--error <code>", "only deliveries whose last failed attempt has this code, e.g. PUBLISH_TIMEOUT"),
      new Option("--region <region>", "only what was received in this region"),
      new Option("--deployment <id>", "only what this deployment received"),
      new Option("--ack-ms-min <ms>", "only deliveries whose ack took so long, or longer"),
      flagOption("--probe <boolean>", "with true only probes, which are otherwise left out"),
      timeOption("--from <time>", "only deliveries received at this time or later: 2026-01-31T12:00:00Z, or 2h"),
      timeOption("--to <time>", "only deliveries received before this time"),
      countOption,
    ],
    items: ({ deliveries }: DeliveryPage) => deliveries,
    empty: "No deliveries on this page.",
    head: ["Received", "Delivery", "Runtime", "Outcome", "Events", "New", "Ack ms", "Handled", "Error"],
    row: ({ receivedAt, id, runtime, outcome, via, events, inserted, ackMs, handledAt, error }: DeliveryItem) => [
      receivedAt,
      id,
      runtime,
      via === "backfill" ? via : outcome,
      events,
      inserted,
      ackMs === null ? null : Number(ackMs.toFixed(1)),
      handledAt,
      error,
    ],
  });
}
