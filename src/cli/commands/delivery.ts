import type { Command } from "commander";

import type { DeliveryAttempt } from "#dashboard/deliveries/read-delivery-attempts.ts";
import type { DeliveryJourney } from "#dashboard/deliveries/read-delivery.ts";
import { describeHandling } from "#dashboard/events/describe-handling.ts";
import type { HandlerCall } from "#dashboard/handlers/read-handler-calls.ts";
import { systemClock } from "#platform/clock.ts";

import { linkTo } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { drawTable, showCell } from "../table.ts";
import { alignRows } from "../terminal.ts";

/** Adds `relay delivery`. */
export function addDelivery(program: Command, context: CommandContext): void {
  program
    .command("delivery")
    .argument("<id>", "the value of x-delivery-id in the webhook's answer")
    .description("show the journey of one delivery from Instagram to the handlers")
    .option("--json", "print the server's JSON")
    .action(async (id: string, { json }: { json?: boolean }) => {
      const journey = await readOps<DeliveryJourney>(context, `deliveries/${encodeURIComponent(id)}`);
      if (json) return context.print(JSON.stringify(journey, null, 2));
      const { attempts, handlers, ...rest } = journey;
      const facts = { ...rest, ackMs: rest.ackMs === null ? null : Number(rest.ackMs.toFixed(1)) };
      const rows = Object.entries(facts).map(([name, value]) => [name, showCell(value, context.zone)] as const);
      const page = ["page", linkTo(context, `deliveries/${encodeURIComponent(id)}`)] as const;
      context.print(alignRows([...rows, page], context.paint));
      if (attempts.length > 0) {
        context.print("\nAttempts to ingest it");
        context.print(drawTable(attemptHead, attempts.map(attemptRow), context.paint, context));
      }
      for (const handling of handlers) {
        context.print(
          `\nEvent ${handling.eventId}, ${handling.kind}: ${describeHandling(handling, systemClock.nowMs())}`,
        );
        if (handling.calls.length > 0)
          context.print(drawTable(callHead, handling.calls.map(callRow), context.paint, context));
      }
    });
}

const attemptHead = ["At", "Batch", "Retried", "Status", "Error", "Took (ms)", "Handled", "Failed", "Queue message"];

function attemptRow({ at, batch, retried, status, error, ms, handled, failed, messageId }: DeliveryAttempt) {
  return [at, batch, retried, status, error, Math.round(ms), handled, failed, messageId];
}

const callHead = ["At", "Attempt", "Result", "Took (ms)", "Where", "Deployment", "Replay"];

function callRow({ at, attempt, error, code, ms, frames, deployment, replay }: HandlerCall) {
  const result = error === null ? "handled" : [error, code].filter((part) => part !== null).join(" ");
  return [at, attempt, result, Math.round(ms), frames[0], deployment, replay];
}
