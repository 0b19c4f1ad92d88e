import type { Check } from "#diagnostics/check.ts";

import { showCell } from "../table.ts";
import type { Paint } from "../terminal.ts";

const marks = {
  ok: ["green", "✔"],
  warning: ["yellow", "!"],
  failed: ["red", "✖"],
  skipped: ["dim", "–"],
} as const;

/** A group of checks as a list, with cause and remedy below each check that is not ok. */
export function showChecks(title: string, checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = [paint("bold", title)];
  let advised = "";
  for (const { name, status, detail, durationMs, cause, remedy } of checks) {
    const [color, mark] = marks[status];
    const duration = durationMs === undefined ? "" : paint("dim", `  ${durationMs} ms`);
    lines.push(`  ${paint(color, mark)} ${showCell(name).padEnd(width)}  ${showCell(detail)}${duration}`);
    if (cause === undefined || remedy === undefined) continue;
    const advice = `      ${paint("dim", "cause ")}  ${showCell(cause)}\n      ${paint("dim", "remedy")}  ${showCell(remedy)}`;
    // One mistake may make several checks fail, with the same advice.
    lines.push(advice === advised ? paint("dim", "      as above") : advice);
    advised = advice;
  }
  return lines.join("\n");
}
