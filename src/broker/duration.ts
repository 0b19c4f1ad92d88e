const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, the micro sign
  μs: 1e-3, // U+03BC, the Greek letter: Go accepts both
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const part = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/gu;
const charactersMax = 64;

/** The longest duration that means anything here: a thousand years would only overflow somewhere later. */
export const durationMsMax = 1000 * 366 * 86_400_000;

/**
 * Milliseconds in a duration such as `10s`, `1d10h30m` or Go's `6m5.5s`; `undefined` if it is none or longer than
 * `durationMsMax`. Units are required.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text.length > charactersMax) return undefined;
  let totalMs = 0;
  let end = 0;
  for (const match of text.matchAll(part)) {
    if (match.index !== end) return undefined;
    end += match[0].length;
    totalMs += Number(match[1]) * (unitMs[match[2] ?? ""] ?? Number.NaN);
  }
  return end === 0 || end !== text.length || !(totalMs <= durationMsMax) ? undefined : totalMs;
}
