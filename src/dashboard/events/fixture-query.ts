import * as v from "valibot";

import { oneOf, parseQuery } from "../lists/query-parameters.ts";

export const fixtureQuery = v.object({ text: v.optional(oneOf(["keep", "mask"]), "mask") });

/** Whether `text=keep` of a fixture's address asks for its texts as they are. Throws `REQUEST_INVALID`. */
export function parseFixtureQuery(params: URLSearchParams): boolean {
  return parseQuery(fixtureQuery, params).text === "keep";
}
