/** What a person sees: colours only where they are wanted, steps with their time. */
import { styleText } from "node:util";

import type { EnvRecord } from "#platform/env.ts";

type Style = "bold" | "dim" | "green" | "red" | "cyan" | "yellow";

export type Paint = (style: Style, text: string) => string;

/** https://no-color.org and https://force-color.org; else colours are for terminals only. */
export function createPaint(env: EnvRecord, stream: { isTTY?: boolean }): Paint {
  return wantsColor(env, stream)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
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

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
