import { type StartFilter, starts, type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import { first, type SearchParams } from "./search-params.ts";
import type { ComparisonQuery } from "./read-runtimes.ts";

/** What the address of the page "Edge and Node" asks for. */
export interface RuntimesQuery {
  window: WindowName;
  /** Empty for all. */
  region: string;
  deployment: string;
  cold: StartFilter;
}

/** Both kinds of start of all regions and deployments. */
export const everything: Omit<RuntimesQuery, "window"> = { region: "", deployment: "", cold: "all" };

const path = "/dashboard/runtimes";
const windowDefault = "24h";

/** Reads the page's address leniently: where `/api/ops/runtimes` would answer 400, a page ignores the parameter. */
export function runtimesQuery(params: SearchParams): RuntimesQuery {
  const window = first(params, "window");
  const cold = first(params, "cold");
  return {
    window: windowNames.find((name) => name === window) ?? windowDefault,
    region: label(first(params, "region")),
    deployment: label(first(params, "deployment")),
    cold: starts.find((name) => name === cold) ?? "all",
  };
}

/** The page's address for a query, without what is its default. */
export function runtimesHref({ window, region, deployment, cold }: RuntimesQuery): string {
  const params = new URLSearchParams();
  if (window !== windowDefault) params.set("window", window);
  if (region !== "") params.set("region", region);
  if (deployment !== "") params.set("deployment", deployment);
  if (cold !== "all") params.set("cold", cold);
  return params.size === 0 ? path : `${path}?${params}`;
}

/** The query as `readRuntimes` takes it. */
export function comparisonQuery({ region, deployment, ...query }: RuntimesQuery): ComparisonQuery {
  return { ...query, region: region === "" ? null : region, deployment: deployment === "" ? null : deployment };
}

/** A text to compare with; what cannot be one is ignored, for Postgres refuses NUL. */
function label(text: string): string {
  return text.length > 300 || text.includes("\0") ? "" : text;
}
