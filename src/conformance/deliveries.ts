/** Bodies of deliveries, written as Meta writes JSON. */
import { type JsonStyle, rewriteJson } from "#diagnostics/rewrite-json.ts";

import { buildEntry, changesEntry, comment, item, messagingEntry, mid, type PayloadKind } from "./payloads.ts";

/** Compact, with `\/` for a slash and `\u00e9` for a character beyond ASCII. */
const metaStyle: JsonStyle = { separators: "compact", slashes: "escaped", unicode: "lower" };

/** Contains what JSON writers differ in: characters beyond ASCII and beyond the first Unicode plane, and slashes. */
const text = "Café, señor? 🚀 https://example.com/a?b=c&d";

/** A payload as JSON in Meta's style, but for `style`. */
export function write(payload: unknown, style: Partial<JsonStyle> = {}): string {
  return rewriteJson(JSON.stringify(payload), { ...metaStyle, ...style });
}

/** The payload of a delivery with these entries. */
export function envelope(...entries: unknown[]): { object: string; entry: unknown[] } {
  return { object: "instagram", entry: entries };
}

/** The body of a delivery with these entries. */
export function bodyOf(...entries: unknown[]): string {
  return write(envelope(...entries));
}

/** The body of a delivery with one event of this kind. */
export function kindBody(kind: PayloadKind, nowMs: number): string {
  return bodyOf(buildEntry(kind, nowMs));
}

/** The body of the most common delivery: one message. */
export function messageBody(nowMs: number): string {
  return bodyOf(messagingEntry(nowMs, messageItem(nowMs)));
}

/** An item with a new message. */
export function messageItem(nowMs: number, content: object = { text }): object {
  return item(nowMs, { message: { mid: mid(), ...content } });
}

/** A change with a new comment. */
export function commentChange(words = text): { field: string; value: object } {
  return { field: "comments", value: comment("FEED", words) };
}

/** The body of a delivery with as many comments as fit into `bytes`, padded with spaces to that size. */
export function sizedBody(nowMs: number, bytes: number): string {
  const words = "x".repeat(2_000);
  const count = Math.floor(bytes / bodyOf(changesEntry(nowMs, commentChange(words))).length);
  return bodyOf(changesEntry(nowMs, ...Array.from({ length: count }, () => commentChange(words)))).padEnd(bytes);
}
