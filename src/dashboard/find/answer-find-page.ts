import { redirect } from "next/navigation";
import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";

import { searchParamsOf } from "../lists/list-request.ts";
import { parseQuery } from "../lists/query-parameters.ts";
import type { SearchParams } from "../lists/search-params.ts";
import { questionLengthMax } from "./find-question.ts";
import { find, type FindAnswer, type FindOptions } from "./find.ts";

/** What the page shows: the question, and its answer; null before a question was asked. */
export interface FoundPage {
  q: string;
  answer: FindAnswer | null;
}

const tooLong = `must have at most ${questionLengthMax} characters`;
const findPageQuery = v.object({
  q: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(questionLengthMax, tooLong)), ""),
});

/** Finds what the page's address asks for. Throws `REQUEST_INVALID`. */
export async function answerFindPage(
  db: Database,
  params: SearchParams,
  openFind: () => FindOptions,
): Promise<FoundPage> {
  const { q } = parseQuery(findPageQuery, searchParamsOf(params));
  return { q, answer: q === "" ? null : await find(db, q, openFind()) };
}

/** Leads on to the page of the only match, by throwing as Next's `redirect` does; not if there are several, none, or an error. */
export function leadToOnlyMatch(found: FoundPage | RelayError): void {
  if (found instanceof RelayError) return;
  const [match, ...others] = found.answer?.matches ?? [];
  if (match !== undefined && others.length === 0) redirect(match.href);
}
