import { listHref } from "../../list-request.ts";

/** The address of the events to which these conditions apply. */
export function eventsHref(query: Readonly<Record<string, string>>): string {
  return listHref({ path: "/dashboard/events", query });
}
