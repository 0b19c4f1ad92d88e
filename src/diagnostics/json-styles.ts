import { escapeUnit, type JsonStyle, rewriteJson } from "./rewrite-json.ts";

/** The limits for the styles beyond the usual ones, in bytes written and in number. A megabyte takes half a second. */
const extraBytesMax = 4_000_000;
const extraStylesMax = 4_000;

/**
 * ASCII characters that some writers escape although JSON does not require it, the more likely first: Meta `@ % <`, PHP's
 * `JSON_HEX_*` `< > & ' "`, Go `< > &`, Gson those and `=`, .NET all of them but `@ % =`, Python DEL.
 */
const escapable = ["@", "%", "<", ">", "&", "'", '"', "=", "+", "`", "\u007f"];
/** The sets that known writers escape; they are tried before all other subsets. */
const families = ["@%<", "<>", "<>&", "<>&'\"", "<>&'=", "<>&'\"+`"];

/** The text in every style in which its signer may have written it, the usual ones first. Throws a `SyntaxError` if it is not JSON. */
export function* jsonForms(text: string): Generator<{ form: string; style: JsonStyle }> {
  const plain = rewriteJson(text, { separators: "compact", slashes: "plain", unicode: "raw" });
  const usual = usualStyles(plain);
  for (const style of usual) yield { form: rewriteJson(text, style), style };

  let left = Math.min(extraStylesMax, Math.floor(extraBytesMax / text.length));
  for (const ascii of escapes(plain)) {
    for (const style of usual) {
      if (left <= 0) return;
      left -= 1;
      yield { form: rewriteJson(text, { ...style, ascii }), style: { ...style, ascii } };
    }
  }
}

/** For a text without slashes and without characters beyond ASCII most styles are the same. */
function usualStyles(plain: string): JsonStyle[] {
  const slashes = plain.includes("/") ? (["escaped", "plain"] as const) : (["plain"] as const);
  const unicode = /[\u0080-\uffff]/.test(plain) ? (["lower", "upper", "raw"] as const) : (["raw"] as const);
  return (["compact", "spaced"] as const).flatMap((separators) =>
    slashes.flatMap((slash) => unicode.map((beyond) => ({ separators, slashes: slash, unicode: beyond }))),
  );
}

/** Each set of escapes that changes the text, once. */
function* escapes(plain: string): Generator<ReadonlyMap<string, string>> {
  // Every string is in quotation marks; only one inside of a string has a backslash.
  const present = escapable.filter((character) => plain.includes(character === '"' ? '\\"' : character));
  const subsets = families.map((family) => present.filter((character) => family.includes(character)));
  for (let mask = 1; mask < 2 ** present.length; mask += 1) {
    subsets.push(present.filter((_, index) => (mask & (1 << index)) !== 0));
  }
  const seen = new Set<string>();
  for (const subset of subsets) {
    for (const digitsIn of ["upper", "lower"] as const) {
      const ascii = new Map(subset.map((character) => [character, escapeUnit(character, digitsIn)]));
      const name = [...ascii.values()].join("");
      if (name === "" || seen.has(name)) continue;
      seen.add(name);
      yield ascii;
    }
  }
}
