import { splitAtStrings } from "./split-at-strings.ts";

/** The ways in which writers of JSON differ without meaning anything else. */
export interface JsonStyle {
  /** `spaced` puts a space after every comma and colon. */
  separators: "compact" | "spaced";
  /** `escaped` writes `\/` for a slash. */
  slashes: "escaped" | "plain";
  /** Beyond ASCII: `\u00e9`, `\u00E9`, or the character itself. */
  unicode: "lower" | "upper" | "raw";
  /** Of ASCII: how each of these characters is escaped, `<` as `\u003C`; what is not here stands for itself. */
  ascii?: ReadonlyMap<string, string>;
}

/**
 * The same JSON in another writer's style: order, repeated keys and every digit stay, as the text and not its value is
 * rewritten. Throws a `SyntaxError` if the text is not JSON.
 */
export function rewriteJson(text: string, style: JsonStyle): string {
  JSON.parse(text);
  return splitAtStrings(text)
    .map((part, index) => (index % 2 === 0 ? separate(part, style) : quote(JSON.parse(part) as string, style)))
    .join("");
}

function separate(between: string, { separators }: JsonStyle): string {
  const bare = between.replaceAll(/\s+/g, "");
  return separators === "spaced" ? bare.replaceAll(/[,:]/g, "$& ") : bare;
}

function quote(value: string, { slashes, unicode, ascii }: JsonStyle): string {
  // Leaves every character as it is except control characters and lone surrogates, which nobody can write otherwise.
  let quoted = JSON.stringify(value).slice(1, -1);
  if (slashes === "escaped") quoted = quoted.replaceAll("/", "\\/");
  // In the place of a quotation mark stands its escape, whose backslash goes with it.
  for (const [character, escape] of ascii ?? []) {
    quoted = quoted.replaceAll(character === '"' ? '\\"' : character, escape);
  }
  return `"${unicode === "raw" ? quoted : escapeUnicode(quoted, unicode)}"`;
}

function escapeUnicode(text: string, digitsIn: "lower" | "upper"): string {
  return text.replaceAll(/[\u0080-\uffff]/g, (unit) => escapeUnit(unit, digitsIn));
}

/** One UTF-16 unit as `\u` and four digits. */
export function escapeUnit(unit: string, digitsIn: "lower" | "upper"): string {
  const digits = unit.charCodeAt(0).toString(16).padStart(4, "0");
  return `\\u${digitsIn === "upper" ? digits.toUpperCase() : digits}`;
}
