import type { Command } from "commander";

import type { HandlerReport, HandlerSummary } from "#dashboard/handlers/read-handlers.ts";
import { windowNames } from "#measurements/runtime-comparison.ts";

import { jsonOption, noteLink } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { choice } from "../list-options.ts";
import { readOps } from "../read-ops.ts";
import { type Cell, drawTable, showCell } from "../table.ts";

/** Adds `relay handlers`. */
export function addHandlers(program: Command, context: CommandContext): void {
  program
    .command("handlers")
    .description("show how the handlers of each kind of event do: calls, failures by error, times, what is open")
    .addOption(choice("--window <window>", "the calls of this time", windowNames).default("1h"))
    .addOption(jsonOption)
    .action(async ({ window, json }: { window: string; json?: boolean }) => {
      const report = await readOps<HandlerReport>(context, "handlers", { window });
      if (json) return context.print(JSON.stringify(report, null, 2));
      if (report.handlers.length === 0)
        context.note(`No handler ran since ${showCell(report.window.from, context.zone)}.`);
      else context.print(drawTable(head, report.handlers.map(toRow), context.paint, context));
      noteLink(context, "handlers", { window });
    });
}

const head = ["Kind", "Calls", "Failed", "Retries", "p50 ms", "p95 ms", "Open", "Oldest open", "Errors"];

function toRow({ kind, runs, failed, failures, retries, handlerMs, open, oldestOpenAt }: HandlerSummary): Cell[] {
  const ms = (value: number | undefined) => (value === undefined ? null : Number(value.toFixed(1)));
  const errors = Object.entries(failures).map(([name, count]) => `${name} ${count}`);
  return [kind, runs, failed, retries, ms(handlerMs?.p50), ms(handlerMs?.p95), open, oldestOpenAt, errors.join(", ")];
}
