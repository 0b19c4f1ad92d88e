/**
 * A JSON text in parts: in turn what stands outside of strings, and one string with its quotation marks. The number of
 * parts is even if the last string is not closed. By hand: a regular expression overflows its stack on a string of a
 * megabyte.
 */
export function splitAtStrings(text: string): string[] {
  const parts: string[] = [];
  let end = 0;
  for (let opening = text.indexOf('"'); opening !== -1; opening = text.indexOf('"', end)) {
    parts.push(text.slice(end, opening));
    end = opening + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    end += 1;
    parts.push(text.slice(opening, end));
    if (end > text.length) return parts;
  }
  return [...parts, text.slice(end)];
}
