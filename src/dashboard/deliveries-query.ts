import { first, type SearchParams } from "./overview-query.ts";
import { type DeliveryFilter, parseDeliveryFilter } from "./read-deliveries.ts";

/** What the list of deliveries is narrowed down to, as its address has it: parameters of `/api/ops/deliveries`. */
const names = ["outcome", "runtime", "error", "region", "deployment", "ackMsMin", "from", "to"] as const;
export type DeliveriesQuery = Partial<Record<(typeof names)[number], string>>;

/** Reads the address of the list leniently: a parameter that `/api/ops/deliveries` would refuse is ignored. */
export function deliveriesQuery(params: SearchParams): DeliveriesQuery {
  const query: DeliveriesQuery = {};
  for (const name of names) {
    const value = first(params, name);
    if (value !== "" && filterOf({ [name]: value }) !== null) query[name] = value;
  }
  return query;
}

/** The page of the list that a query and a cursor ask for; the first one for a cursor that was never given out. */
export function deliveriesFilter(query: DeliveriesQuery, cursor: string): DeliveryFilter {
  return filterOf({ ...query, cursor }) ?? parseDeliveryFilter(new URLSearchParams(query));
}

/** The address of the list for a query, and from a cursor on. */
export function deliveriesHref(query: DeliveriesQuery, cursor?: string): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor })) {
    if (value !== undefined && value !== "") params.set(name, value);
  }
  return params.size === 0 ? "/dashboard/deliveries" : `/dashboard/deliveries?${params}`;
}

function filterOf(params: Record<string, string>): DeliveryFilter | null {
  try {
    return parseDeliveryFilter(new URLSearchParams(params));
  } catch {
    return null;
  }
}
