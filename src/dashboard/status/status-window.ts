import * as v from "valibot";

import { type WindowName, windowNames } from "#measurements/runtime-comparison.ts";

import { searchParamsOf } from "../lists/list-request.ts";
import { oneOf, parseQuery } from "../lists/query-parameters.ts";
import type { SearchParams } from "../lists/search-params.ts";

const statusQuery = v.object({ window: v.optional(oneOf(windowNames), "1h") });

/** The window of the traffic that the status page's address asks for; an hour by default. Throws `REQUEST_INVALID`. */
export function statusWindow(params: SearchParams): WindowName {
  return parseQuery(statusQuery, searchParamsOf(params)).window;
}
