/** A figure that a page can do without: null if it cannot be read. Never rejects, so it may be awaited late, or not at all. */
export async function orUnknown<T>(figure: Promise<T>): Promise<T | null> {
  return figure.catch(() => null);
}
