import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/database.ts";

import { find, type FindAnswer, type FindOptions } from "./find.ts";
import { questionLengthMax } from "./find-question.ts";
import { first, type SearchParams } from "./overview-query.ts";

/** What the page shows: the question, and its answer; null before a question was asked. */
export interface FoundPage {
  q: string;
  answer: FindAnswer | null;
}

/** Finds what the page's address asks for. */
export async function answerFindPage(
  db: Database,
  params: SearchParams,
  openFind: () => FindOptions,
): Promise<FoundPage> {
  const q = first(params, "q").trim().slice(0, questionLengthMax);
  return { q, answer: q === "" ? null : await find(db, q, openFind()) };
}

/** The page of the only match; null if there are several, none, or an error. */
export function onlyMatch(found: FoundPage | RelayError): string | null {
  if (found instanceof RelayError) return null;
  const [match, ...others] = found.answer?.matches ?? [];
  return match !== undefined && others.length === 0 ? match.href : null;
}
