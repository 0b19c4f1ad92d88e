import { isArray, isFinite, isInteger, isSafeInteger, parse, stringify, toNumber, toText } from "#platform/natives.ts";

import type { Json } from "./events.ts";

/** How deep a value may nest. Meta's nest about ten levels, and Postgres and `JSON.stringify` have a limit. */
const depthMax = 64;

const number = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON without losing digits: an integer beyond ±(2^53−1), or a number too large for a double, becomes a string
 * of what was written. Without such numbers, which is the usual case, this is the native `JSON.parse` and one walk.
 * Throws a `SyntaxError` if the text is not JSON or nests too deep.
 */
export function parseLosslessJson(text: string): Json {
  const { value, isTooDeep: tooDeep } = readLosslessJson(text);
  if (tooDeep) throw new SyntaxError(`JSON nests deeper than ${depthMax} levels`);
  return value;
}

export interface LosslessJson {
  value: Json;
  isTooDeep: boolean;
  /** False if an object or array of the text is not in the value: of repeated keys the parser keeps only the last. */
  isWhole: boolean;
}

/** The same without the limit on nesting, and with what the caller needs to keep the rest. Throws a `SyntaxError`. */
export function readLosslessJson(text: string): LosslessJson {
  const value = parse(text) as Json;
  const walk = startWalk();
  walkJson(value, depthMax, walk);
  return {
    value: walk.hasLostDigits ? (parse(quoteUnsafeNumbers(text)) as Json) : value,
    isTooDeep: walk.isTooDeep,
    // Brackets in strings only add to the count, so strings are left out only if the counts differ.
    isWhole: hasBracketsOf(text, walk) || hasBracketsOf(withoutStrings(text), walk),
  };
}

/** Whether a value nests deeper than the 64 levels that we keep as JSON. */
export function isTooDeep(value: Json): boolean {
  const walk = startWalk();
  walkJson(value, depthMax, walk);
  return walk.isTooDeep;
}

/** The findings of a walk over a value. */
interface Walk {
  /** A number is not what was written. */
  hasLostDigits: boolean;
  isTooDeep: boolean;
  lists: number;
  objects: number;
}

function startWalk(): Walk {
  return { hasLostDigits: false, isTooDeep: false, lists: 0, objects: 0 };
}

function walkJson(value: Json, levels: number, walk: Walk): void {
  if (typeof value === "number") {
    if (!isSafeInteger(value) && (isInteger(value) || !isFinite(value))) walk.hasLostDigits = true;
  } else if (typeof value === "object" && value !== null) {
    if (levels === 0) {
      walk.isTooDeep = true;
    } else if (isList(value)) {
      walk.lists += 1;
      for (const child of value) walkJson(child, levels - 1, walk);
    } else {
      walk.objects += 1;
      for (const key in value) walkJson(value[key] ?? null, levels - 1, walk);
    }
  }
}

function hasBracketsOf(text: string, { lists, objects }: Walk): boolean {
  return countOf("[", text) === lists && countOf("{", text) === objects;
}

function countOf(character: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

function withoutStrings(text: string): string {
  return splitAtStrings(text)
    .filter((_, index) => index % 2 === 0)
    .join("");
}

/** The text with every number literal that would lose digits put in quotes. */
function quoteUnsafeNumbers(text: string): string {
  return splitAtStrings(text)
    .map((part, index) => (index % 2 === 0 ? part.replace(number, quoteIfUnsafe) : part))
    .join("");
}

/**
 * Valid JSON in parts: every other one is a string with its quotes, the first what stands before any. By hand: a regular
 * expression overflows its stack on a string of a megabyte.
 */
function splitAtStrings(text: string): string[] {
  const parts: string[] = [];
  let end = 0;
  for (let opening = text.indexOf('"'); opening !== -1; opening = text.indexOf('"', end)) {
    parts.push(text.slice(end, opening));
    end = closingQuote(text, opening) + 1;
    parts.push(text.slice(opening, end));
  }
  return [...parts, text.slice(end)];
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
  const value = toNumber(literal);
  const isSafe = isInteger(value) ? isSafeInteger(value) : isFinite(value);
  return isSafe ? literal : `"${literal}"`;
}

/** JSON with object keys in order, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  return stringify(value, (_key, child: Json) => {
    if (!isObject(child)) return child;
    return Object.fromEntries(Object.entries(child).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** An object among JSON values. */
export type JsonObject = { readonly [key: string]: Json };

/** An array among JSON values. */
export const isList = isArray as (value: Json | undefined) => value is readonly Json[];

/** Whether a value is a JSON object; an array is not. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

/** An id as text: Meta writes ids as strings, and sometimes as numbers. */
export function idText(value: Json | undefined): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? toText(value) : undefined;
}
