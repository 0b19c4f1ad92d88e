import Table from "cli-table3";

import type { Paint } from "./terminal.ts";

export type Cell = string | number | boolean | null | undefined;

/** Without lines between the rows: for many short rows. */
const dense = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** A table for people; scripts use `--json`. */
export function drawTable(head: string[], rows: Cell[][], paint: Paint, { isDense = false } = {}): string {
  // The colours of cli-table3 ignore NO_COLOR.
  const table = new Table({
    head: head.map((title) => paint("bold", title)),
    style: { head: [], border: [] },
    ...(isDense ? { chars: dense } : {}),
  });
  for (const row of rows) table.push(row.map(showCell));
  return table.toString();
}

/**
 * A cell as text, without control characters: data from the network could otherwise move the cursor, change colours or
 * turn the rest of the line around.
 */
export function showCell(value: Cell): string {
  return value === null || value === undefined
    ? "–"
    : String(value).replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "\u{FFFD}");
}
