import { splitAtStrings } from "./split-at-strings.ts";

/** The differences between JSON writers that do not change the value. */
export interface JsonStyle {
  /** `spaced` puts a space after every comma and colon. */
  separators: "compact" | "spaced";
  /** `escaped` writes `\/` for a slash. */
  slashes: "escaped" | "plain";
  /** Beyond ASCII: `\u00e9`, `\u00E9`, or the character itself. */
  unicode: "lower" | "upper" | "raw";
  /** The escapes of ASCII characters, such as `\u003C` for `<`; every other ASCII character stands for itself. */
  ascii?: ReadonlyMap<string, string>;
}

/**
 * The same JSON in another style. The text is rewritten and not its value, so order, repeated keys and every digit stay.
 * Throws a `SyntaxError` if the text is not JSON.
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
  // JSON.stringify escapes only quotation marks, backslashes, control characters and lone surrogates, as every writer must.
  let quoted = JSON.stringify(value).slice(1, -1);
  if (slashes === "escaped") quoted = quoted.replaceAll("/", "\\/");
  // A quotation mark is already escaped here: its backslash is replaced together with it.
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
