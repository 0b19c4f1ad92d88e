import Table from "cli-table3";

import type { Paint } from "./terminal.ts";

export type Cell = string | number | boolean | null | undefined;

/** Without lines between the rows, for many short ones. */
const dense = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** Rows under a heading, for people; scripts take `--json`. */
export function drawTable(head: string[], rows: Cell[][], paint: Paint, { isDense = false } = {}): string {
  // Its own colours ignore NO_COLOR; ours do not.
  const table = new Table({
    head: head.map((title) => paint("bold", title)),
    style: { head: [], border: [] },
    ...(isDense ? { chars: dense } : {}),
  });
  for (const row of rows) table.push(row.map(showCell));
  return table.toString();
}

/** What came over the network must not move the cursor or recolour the terminal. */
export function showCell(value: Cell): string {
  return value === null || value === undefined ? "–" : String(value).replaceAll(/\p{Cc}/gu, "\u{FFFD}");
}
