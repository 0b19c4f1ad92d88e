import type { Command } from "commander";

import type { DeliveryJourney } from "#dashboard/read-delivery.ts";

import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { showCell } from "../table.ts";
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
      const rows = Object.entries(journey).map(([name, value]) => [name, showCell(value)] as const);
      context.print(alignRows(rows, context.paint));
    });
}
