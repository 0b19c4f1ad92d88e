import type { Command } from "commander";

import type { Status, StatusItem } from "#dashboard/status/status.ts";

import { jsonOption } from "../add-list-command.ts";
import { addHelpNote } from "../add-help-note.ts";
import type { CommandContext } from "../command-context.ts";
import { readOps } from "../read-ops.ts";
import { showCell } from "../table.ts";

/** The exit status for each status: a script tells by it whether to page. */
const exitStatuses = { ok: 0, attention: 2, failing: 3 } as const;

const marks = {
  ok: ["green", "✔"],
  attention: ["yellow", "!"],
  failing: ["red", "✖"],
  unknown: ["dim", "–"],
} as const;

/** Adds `relay status`, whose exit status says how the relay is. */
export function addStatus(program: Command, context: CommandContext): void {
  const command = program
    .command("status")
    .description(
      "say whether anything is lost, refused, stuck, failing or waiting, as the first page of the dashboard does",
    )
    .addOption(jsonOption)
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readOps<Status>(context, "status");
      context.print(json ? JSON.stringify(status, null, 2) : showStatus(status, context));
      context.exitWith(exitStatuses[status.status]);
    });
  addHelpNote(command, "Exit status: 0 ok, 2 something needs attention, 3 something is lost or failing, 1 not known.");
}

function showStatus({ status, sentence, asOf, items, deployment }: Status, context: CommandContext): string {
  const { paint, zone } = context;
  const [color, mark] = marks[status];
  const width = Math.max(...items.map(({ name }) => name.length));
  return [
    `${paint(color, mark)} ${paint("bold", showCell(sentence))} ${paint("dim", `(as of ${showCell(asOf, zone)})`)}`,
    "",
    ...items.flatMap((item) => showItem(item, width, context)),
    ...(deployment === null ? [] : ["", `  ${showCell(deployment.sentence)}`]),
  ].join("\n");
}

/** Where something is to be looked at, the address of its list follows. */
function showItem({ name, state, sentence, href }: StatusItem, width: number, context: CommandContext): string[] {
  const { paint, baseUrl } = context;
  const [color, mark] = marks[state];
  const line = `  ${paint(color, mark)} ${name.padEnd(width)}  ${showCell(sentence)}`;
  if (state === "ok" || href === null) return [line];
  return [line, `    ${" ".repeat(width)}  ${paint("cyan", new URL(href, baseUrl()).href)}`];
}
