import type { Command } from "commander";

import type { DriftReport } from "#dashboard/read-drift.ts";

import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { drawTable } from "../table.ts";

interface Options {
  limit?: string;
  json?: boolean;
}

export function addDrift(program: Command, context: CommandContext): void {
  program
    .command("drift")
    .description("list how what Meta sends differs from what the handlers' types say, last seen first")
    .option("--limit <n>", "how many")
    .option("--json", "print the server's JSON")
    .action(async ({ json, ...filter }: Options) => {
      const report = await readOps<DriftReport>(context, "drift", filter);
      if (json) return context.print(JSON.stringify(report, null, 2));
      if (report.drift.length === 0) return context.print("No drift: all that Meta sent was as expected.");
      const rows = report.drift.map((item) => [
        item.kind,
        item.path,
        item.finding,
        item.shape,
        item.count,
        item.firstSeen,
        item.lastSeen,
        item.eventId,
      ]);
      const head = ["Kind", "Path", "Finding", "Shape", "Events", "First seen", "Last seen", "Last event"];
      context.print(drawTable(head, rows, context.paint));
    });
}
