import { parseJson } from "#platform/parse-json.ts";

/** How much of its limits an app has used, as Meta's headers say. */
export interface Usage {
  /** The highest of all figures, 100 at the limit. */
  percent: number;
  /** For how long requests are refused; 0 if they are not. */
  regainMs: number;
}

const percentages = ["call_count", "total_cputime", "total_time"];
/** A wrong header must not stop a backfill for ever. */
const regainMinutesMax = 24 * 60;

/**
 * Reads `X-App-Usage` and `X-Business-Use-Case-Usage`; what cannot be read counts as nothing used.
 * https://developers.facebook.com/docs/graph-api/overview/rate-limiting, read 2026-11
 */
export function readUsage(headers: Headers): Usage {
  const app = parseJson(headers.get("x-app-usage") ?? "");
  const useCases = parseJson(headers.get("x-business-use-case-usage") ?? "");
  const lists = typeof useCases === "object" && useCases !== null ? Object.values(useCases) : [];
  const entries = [app, ...lists.flat()].filter((one) => typeof one === "object" && one !== null);
  let percent = 0;
  let minutes = 0;
  for (const entry of entries as Record<string, unknown>[]) {
    for (const name of percentages) percent = Math.max(percent, numberOf(entry[name]));
    minutes = Math.max(minutes, numberOf(entry["estimated_time_to_regain_access"]));
  }
  return { percent, regainMs: Math.min(minutes, regainMinutesMax) * 60_000 };
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
