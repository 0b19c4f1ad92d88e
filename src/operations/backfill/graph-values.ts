// Reads values of Instagram's API, whose types nothing promises: what has another type counts as missing.

import { parseUrl } from "#platform/parse-url.ts";

export type GraphObject = Readonly<Record<string, unknown>>;

/** The value if it is an object, else an empty one. */
export function objectOf(value: unknown): GraphObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as GraphObject) : {};
}

/** A text, or a whole number without lost digits as a text; undefined for anything else, and for an empty text. */
export function textOf(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `2026-01-31T12:00:00+0000`, or seconds since the epoch, in milliseconds; null if it is no time. */
export function timeOf(value: unknown): number | null {
  const number = typeof value === "string" && /^\d{9,11}$/.test(value) ? Number(value) : value;
  const ms = typeof number === "number" ? number * 1_000 : Date.parse(textOf(value) ?? "");
  return ms > 0 && ms < 1e14 ? ms : null;
}

/** The items of an edge, and where its next page begins. */
export interface Edge {
  items: readonly GraphObject[];
  /** The cursor of the next page; null if this is the last one. */
  after: string | null;
}

/**
 * Reads an edge. `paging.next` is an address with the token in it: it only says that there is more, and is never followed.
 * https://developers.facebook.com/docs/graph-api/results, read 2026-11
 */
export function edgeOf(value: unknown): Edge {
  const { data, paging } = objectOf(value);
  const { next, cursors } = objectOf(paging);
  const items = (Array.isArray(data) ? data : []).map(objectOf);
  if (textOf(next) === undefined) return { items, after: null };
  const cursor = textOf(objectOf(cursors)["after"]) ?? cursorIn(String(next));
  return { items, after: cursor !== undefined && cursor.length <= cursorLengthMax ? cursor : null };
}

const cursorLengthMax = 2_000;

function cursorIn(url: string): string | undefined {
  return textOf(parseUrl(url)?.searchParams.get("after"));
}
