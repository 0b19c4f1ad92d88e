/** A count with its noun, for sentences: `1 event`, `12 deliveries`; `over 10,000 batches` if more were not counted. */
export function amount(count: number, one: string, isCapped = false): string {
  const many = one.endsWith("y") ? `${one.slice(0, -1)}ies` : `${one}${one.endsWith("ch") ? "es" : "s"}`;
  return `${isCapped ? "over " : ""}${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
