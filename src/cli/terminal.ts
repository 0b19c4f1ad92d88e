/** Output for a terminal: colours, width, aligned columns, durations. */
import { styleText } from "node:util";

import type { EnvRecord } from "#platform/env.ts";

type Style = "bold" | "dim" | "green" | "red" | "cyan" | "yellow";

/** Returns the text, with escape sequences for the style or without. */
export type Paint = (style: Style, text: string) => string;

/** How results are shown. */
export interface Layout {
  paint: Paint;
  /** In columns; infinite where the output is no terminal, so that nothing is cut in a pipe. */
  width: number;
  /** The IANA name of the time zone in which times are shown. */
  zone: string;
}

/** Paints if the environment or the stream wants colours: https://no-color.org, https://force-color.org, or a terminal. */
export function createPaint(env: EnvRecord, stream: { isTTY?: boolean }): Paint {
  return wantsColor(env, stream)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}

/** `COLUMNS` if it is set, else the terminal's width. */
export function widthOf(env: EnvRecord, stream: { columns?: number }): number {
  const given = /^[1-9]\d{0,4}$/.test(env["COLUMNS"] ?? "") ? Number(env["COLUMNS"]) : undefined;
  return given ?? (stream.columns || Number.POSITIVE_INFINITY);
}

function wantsColor(env: EnvRecord, stream: { isTTY?: boolean }): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Two columns, the first as wide as its widest entry. */
export function alignRows(rows: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${paint("dim", label.padEnd(width))}  ${value}`).join("\n");
}

/** Milliseconds as seconds, with one digit after the point. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
