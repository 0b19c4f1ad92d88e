import { formatMoment } from "../format.ts";
import type { ItemName, StatusItem } from "./status.ts";

/** A point in time in the middle of a sentence: `02:14 UTC`, after the day if it is another one. */
export type When = (iso: string) => string;

/** Times in the zone of the reader. */
export function whenIn(zone: string, nowMs: number): When {
  return (iso) => formatMoment(iso, nowMs, zone);
}

/** The answer of an item about which there is nothing to say beyond its sentence. */
export function item(name: ItemName, answer: Partial<StatusItem> & Pick<StatusItem, "state" | "sentence">): StatusItem {
  return { name, count: null, isCapped: false, since: null, href: null, ...answer };
}

/** The answer of an item that could not be read. */
export function unknownItem(name: ItemName, what: string): StatusItem {
  return item(name, { state: "unknown", sentence: `${what} is unknown.` });
}

/** The verb that goes with a count. */
export function verb(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** The address of a list that is narrowed down. */
export function listed(path: string, query: Record<string, string | null>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null) params.set(name, value);
  return params.size === 0 ? `/dashboard/${path}` : `/dashboard/${path}?${params}`;
}
