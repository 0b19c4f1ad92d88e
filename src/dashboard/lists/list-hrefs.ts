import { listHref } from "./list-request.ts";

/** Conditions of a list by the names of its parameters; what is empty or undefined is no condition. */
export type Conditions = Readonly<Record<string, string | undefined>>;

/** The address of the events to which these conditions apply. */
export function eventsHref(conditions: Conditions): string {
  return listHref({ path: "/dashboard/events", query: given(conditions) });
}

/** The address of the deliveries to which these conditions apply. */
export function deliveriesHref(conditions: Conditions): string {
  return listHref({ path: "/dashboard/deliveries", query: given(conditions) });
}

function given(conditions: Conditions): Record<string, string> {
  return Object.fromEntries(
    Object.entries(conditions).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ""),
  );
}
