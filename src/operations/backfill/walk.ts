/** A place in a list that is read page by page, with what shows that its cursors go in a ring. */
export interface Walk {
  /** The next page; null for the first. */
  after: string | null;
  /** A cursor that was met before, how many pages are left until another is kept in its place, and then how many. */
  mark?: string;
  left?: number;
  span?: number;
}

/**
 * The place after a page that names `next`; null if it was the last one, or if the cursors go in a ring: then each of its pages
 * was read. One cursor is kept, and each time for twice as many pages, so that a ring of any length is found before it was read
 * four times. https://maths-people.anu.edu.au/~brent/pd/rpb051i.pdf, Brent's algorithm
 */
export function goOn({ after, mark, left = 1, span = 1 }: Walk, next: string | null): Walk | null {
  if (next === null || next === after || next === mark) return null;
  if (left > 1) return { after: next, ...(mark === undefined ? {} : { mark }), left: left - 1, span };
  return { after: next, mark: next, left: span * 2, span: span * 2 };
}

/** The place alone, of something that has more. */
export function walkOf({ after, mark, left, span }: Walk): Walk {
  return mark === undefined || left === undefined || span === undefined ? { after } : { after, mark, left, span };
}
