import { first, type SearchParams } from "./overview-query.ts";
import { type DeliveryFilter, parseDeliveryFilter } from "./delivery-filter.ts";

/** What the list of deliveries is narrowed down to, as its address has it: parameters of `/api/ops/deliveries`. */
const names = ["outcome", "runtime", "error", "region", "deployment", "ackMsMin", "from", "to"] as const;
export type DeliveriesQuery = Partial<Record<(typeof names)[number], string>>;

/** What the address of the list asks for. */
export interface DeliveriesRequest {
  query: DeliveriesQuery;
  filter: DeliveryFilter;
  /** Whether the page of the list is not the newest one. */
  older: boolean;
}

/** Reads the address of the list leniently: a parameter that `/api/ops/deliveries` would refuse is ignored. */
export function deliveriesRequest(params: SearchParams): DeliveriesRequest {
  const query: DeliveriesQuery = {};
  for (const name of names) {
    const value = first(params, name);
    if (value !== "" && filterOf({ [name]: value }) !== null) query[name] = value;
  }
  const filter =
    filterOf({ ...query, cursor: first(params, "cursor") }) ?? parseDeliveryFilter(new URLSearchParams(query));
  return { query, filter, older: filter.cursor !== undefined };
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
