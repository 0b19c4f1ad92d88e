import * as v from "valibot";

import { type StartFilter, starts, type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import { searchParamsOf } from "../lists/list-request.ts";
import { oneOf, parseQuery, plainText } from "../lists/query-parameters.ts";
import type { SearchParams } from "../lists/search-params.ts";
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

const schema = v.object({
  window: v.optional(oneOf(windowNames), windowDefault),
  region: v.optional(plainText, ""),
  deployment: v.optional(plainText, ""),
  cold: v.optional(oneOf(starts), "all"),
});

/** Reads the page's address. Throws `REQUEST_INVALID`, as `/api/ops/runtimes` does. */
export function runtimesQuery(params: SearchParams): RuntimesQuery {
  return parseQuery(schema, searchParamsOf(params));
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
