/** A page's search parameters as Next passes them. */
export type SearchParams = Record<string, string | string[] | undefined>;
