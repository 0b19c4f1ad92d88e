import { InvalidArgumentError, Option } from "commander";

import { systemClock } from "#platform/clock.ts";

/** An option whose value is one of these words: any other is an error that lists them, before anything is asked. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words);
}

/** An option whose value is `true` or `false`. */
export function flagOption(flags: string, description: string): Option {
  return choice(flags, description, ["true", "false"]);
}

/** An option whose value is a time: as ISO 8601, or how long ago it is. */
export function timeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => instantOf(text));
}

/** The options of every list that has pages. */
export const pageOptions = [
  new Option("--cursor <cursor>", "the next page; the page before names its cursor"),
  new Option("--limit <n>", "the number of rows, at most 200"),
] as const;

/** The option of lists whose server counts. The program reads it as a flag, and the address as `true`. */
export const countOption = new Option("--count", "say how many there are in all: exactly up to 10,000");

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2026-01-31T12:00:00Z` as it is, and `90m` (or `s`, `h`, `d`) as the time so long ago. */
export function instantOf(text: string, nowMs = systemClock.nowMs()): string {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(nowMs - Number(count) * (unitMs[unit] ?? 0)).toISOString();
  const isInstant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(text);
  if (isInstant && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw new InvalidArgumentError("It must be a time such as 2026-01-31T12:00:00Z, or 90m, 12h or 7d for so long ago.");
}
