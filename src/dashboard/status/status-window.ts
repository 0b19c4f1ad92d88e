import { type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import { first, type SearchParams } from "../search-params.ts";

/** The window of the traffic that the status page's address asks for; an hour by default. */
export function statusWindow(params: SearchParams): WindowName {
  const window = first(params, "window");
  return windowNames.find((name) => name === window) ?? "1h";
}
