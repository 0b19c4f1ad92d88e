/** A page's search parameters as Next passes them. */
export type SearchParams = Record<string, string | string[] | undefined>;

/** The first value of a search parameter. Empty if it is absent: a form sends its empty fields too. */
export function first(params: SearchParams, name: string): string {
  return [params[name]].flat()[0] ?? "";
}
