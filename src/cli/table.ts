import stringWidth from "string-width";

import { inZone } from "./in-zone.ts";
import { alignRows, type Layout, type Paint } from "./terminal.ts";

export type Cell = string | number | boolean | null | undefined;

const gap = " │ ";
/** No column is cut to fewer characters. Where the rows are still too wide, each becomes a block of lines. */
const columnMin = 8;
const timePattern = /^\d{4}-\d\d-\d\dT/;
const graphemes = new Intl.Segmenter();

/**
 * A table for people, not wider than the terminal; scripts use `--json`. Columns of sentences are cut first, then ids, of
 * which a part finds nothing, and times never.
 */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  { width = Number.POSITIVE_INFINITY, zone = "UTC" }: Partial<Layout> = {},
): string {
  const texts = rows.map((row) => row.map((cell) => showCell(cell, zone)));
  const widths = fitColumns([head, ...texts], width);
  if (widths === null) return texts.map((row) => drawBlock(head, row, paint)).join("\n\n");
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => fit(text, widths[column] ?? 0))
      .join(gap)
      .trimEnd();
  return [paint("bold", line(head)), ...texts.map(line)].join("\n");
}

/**
 * A cell as text, without control characters: data from the network could otherwise move the cursor, change colours or
 * turn the rest of the line around. A time in UTC is shown in the zone.
 */
export function showCell(value: Cell, zone = "UTC"): string {
  if (value === null || value === undefined) return "–";
  return inZone(String(value), zone).replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "\u{FFFD}");
}

/** The width of each column; null if the table does not fit into `width`. */
function fitColumns(rows: readonly (readonly string[])[], width: number): number[] | null {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ""));
  const widths = columns.map((texts) => Math.max(...texts.map((text) => stringWidth(text))));
  const room = width - gap.length * (columns.length - 1);
  const isSentence = columns.map(([, ...texts]) => texts.some((text) => text.includes(" ")));
  const isNoTime = columns.map((texts) => !texts.some((text) => timePattern.test(text)));
  for (const cuttable of [isSentence, isNoTime]) {
    while (sum(widths) > room) {
      const widest = widths.reduce(
        (most, own, column) => (cuttable[column] === true && own > most ? own : most),
        columnMin,
      );
      if (widest === columnMin) break;
      const column = widths.findIndex((own, index) => cuttable[index] === true && own === widest);
      widths[column] = widest - 1;
    }
  }
  return sum(widths) > room ? null : widths;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The text in exactly `width` columns. */
function fit(text: string, width: number): string {
  const missing = width - stringWidth(text);
  if (missing >= 0) return text + " ".repeat(missing);
  let cut = "";
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(cut + segment) >= width) break;
    cut += segment;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - 1 - stringWidth(cut)))}`;
}

function drawBlock(head: readonly string[], row: readonly string[], paint: Paint): string {
  return alignRows(
    head.map((title, column) => [title, row[column] ?? ""] as const),
    paint,
  );
}
