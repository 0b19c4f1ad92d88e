/** The ways in which writers of JSON differ without meaning anything else. */
export interface JsonStyle {
  /** `spaced` puts a space after every comma and colon. */
  separators: "compact" | "spaced";
  /** `escaped` writes `\/` for a slash. */
  slashes: "escaped" | "plain";
  /** Beyond ASCII: `\u00e9`, `\u00E9`, or the character itself. */
  unicode: "lower" | "upper" | "raw";
}

/**
 * The same JSON in another writer's style: order, repeated keys and every digit stay, as the text and not its value is
 * rewritten. Throws a `SyntaxError` if the text is not JSON.
 */
export function rewriteJson(text: string, style: JsonStyle): string {
  JSON.parse(text);
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const opening = text.indexOf('"', at);
    parts.push(separate(text.slice(at, opening === -1 ? text.length : opening), style));
    if (opening === -1) break;
    const end = endOfString(text, opening);
    parts.push(quote(JSON.parse(text.slice(opening, end)) as string, style));
    at = end;
  }
  return parts.join("");
}

/** By hand: a regular expression overflows its stack on a string of a megabyte. */
function endOfString(text: string, opening: number): number {
  let at = opening + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function separate(between: string, { separators }: JsonStyle): string {
  const bare = between.replaceAll(/\s+/g, "");
  return separators === "spaced" ? bare.replaceAll(/[,:]/g, "$& ") : bare;
}

function quote(value: string, { slashes, unicode }: JsonStyle): string {
  // Leaves every character as it is except control characters and lone surrogates, which nobody can write otherwise.
  const quoted = JSON.stringify(value);
  const slashed = slashes === "escaped" ? quoted.replaceAll("/", "\\/") : quoted;
  if (unicode === "raw") return slashed;
  return slashed.replaceAll(/[\u0080-\uffff]/g, (unit) => {
    const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${unicode === "upper" ? digits.toUpperCase() : digits}`;
  });
}
