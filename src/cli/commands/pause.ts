import { type Command, Option } from "commander";

import type { Pause } from "#operations/pause.ts";

import type { CommandContext } from "../command-context.ts";
import { askOps } from "../read-ops.ts";
import { showCell } from "../table.ts";

/** Adds `relay pause` and `relay resume`. */
export function addPause(program: Command, context: CommandContext): void {
  const run = async (method: "GET" | "POST" | "DELETE", json: boolean | undefined) => {
    const pause = await askOps<Pause>(context, method, "pause");
    context.print(json ? JSON.stringify(pause, null, 2) : describe(pause, context.zone));
  };
  program
    .command("pause")
    .description("have the queue hold back the batches; deliveries are still acknowledged, and handlers go on")
    .addOption(new Option("--resume", "deliver them again").conflicts("status"))
    .option("--status", "only show whether they are held back, and how many wait")
    .option("--json", "print the server's JSON")
    .action(({ resume, status, json }: { resume?: boolean; status?: boolean; json?: boolean }) =>
      run(status ? "GET" : resume ? "DELETE" : "POST", json),
    );
  program
    .command("resume")
    .description("the same as pause --resume")
    .option("--json", "print the server's JSON")
    .action(({ json }: { json?: boolean }) => run("DELETE", json));
}

function describe({ paused, since, waiting }: Pause, zone: string): string {
  const wait =
    waiting === null
      ? "The queue does not say how many batches wait."
      : `${waiting} ${waiting === 1 ? "batch waits" : "batches wait"} at the queue.`;
  if (!paused) return `Ingestion is not paused. ${wait}`;
  return `Ingestion is paused since ${showCell(since, zone)}: deliveries are acknowledged and not stored. ${wait} Handlers of stored events go on.`;
}
