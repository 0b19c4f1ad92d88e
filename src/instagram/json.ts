import type { Json } from "./events.ts";

/** How deep a value may nest: Meta's go to about ten, and what Postgres and `JSON.stringify` can follow is finite. */
const depthMax = 64;

/** A number literal that a double cannot hold: sixteen digits and more, or an exponent of three. */
const unsafeNumber = /[[:,\s]-?(?:\d{16,}|[\d.]+[eE]\+?\d{3,})/;
const number = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON without losing digits: an integer beyond ±(2^53−1), or a number too large for a double, becomes a string
 * of what was written. Without such numbers, which is the usual case, this is the native `JSON.parse` and one scan.
 * Throws a `SyntaxError` if the text is not JSON or nests too deep.
 */
export function parseLosslessJson(text: string): Json {
  const parsed = JSON.parse(text) as Json;
  const value = unsafeNumber.test(text) ? (JSON.parse(quoteUnsafeNumbers(text)) as Json) : parsed;
  if (isDeeperThan(value, depthMax)) throw new SyntaxError(`JSON nests deeper than ${depthMax} levels`);
  return value;
}

/**
 * The text with every number literal that would lose digits put in quotes. `text` must be valid JSON. Strings are
 * skipped by hand: one regular expression for both overflows its stack on a string of a megabyte.
 */
function quoteUnsafeNumbers(text: string): string {
  let quoted = "";
  for (let at = 0; at < text.length;) {
    const opening = text.indexOf('"', at);
    if (opening === -1) return quoted + text.slice(at).replace(number, quoteIfUnsafe);
    const end = closingQuote(text, opening) + 1;
    quoted += text.slice(at, opening).replace(number, quoteIfUnsafe) + text.slice(opening, end);
    at = end;
  }
  return quoted;
}

function closingQuote(text: string, opening: number): number {
  for (let at = opening; ;) {
    at = text.indexOf('"', at + 1);
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function quoteIfUnsafe(literal: string): string {
  const value = Number(literal);
  const isSafe = /^-?\d+$/.test(literal) ? Number.isSafeInteger(value) : Number.isFinite(value);
  return isSafe ? literal : `"${literal}"`;
}

function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const child of Object.values(value)) {
    if (isDeeperThan(child, levels - 1)) return true;
  }
  return false;
}

/** JSON with object keys in order, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, child: Json) => {
    if (!isObject(child)) return child;
    return Object.fromEntries(Object.entries(child).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** An object among JSON values. */
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An id as text: Meta writes ids as strings, and sometimes as numbers. */
export function idText(value: Json | undefined): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}
