/** Bodies to send, with invented values and fresh ids, written as Meta writes them. */
import { type JsonStyle, rewriteJson } from "#instagram/rewrite-json.ts";

import { accountId, buildEntry, mid, objectId, type PayloadKind, userId } from "./payloads.ts";

/** Compact, `\/` for a slash, `\u00e9` beyond ASCII. */
const metaStyle: JsonStyle = { separators: "compact", slashes: "escaped", unicode: "lower" };

/** Beyond ASCII, beyond the first plane, and with slashes: what writers of JSON differ in. */
const text = "Café, señor? 🚀 https://example.com/a?b=c&d";

export function write(payload: unknown, style: Partial<JsonStyle> = {}): string {
  return rewriteJson(JSON.stringify(payload), { ...metaStyle, ...style });
}

export function envelope(...entries: unknown[]): { object: string; entry: unknown[] } {
  return { object: "instagram", entry: entries };
}

/** The body of one delivery with these entries. */
export function bodyOf(...entries: unknown[]): string {
  return write(envelope(...entries));
}

export function kindBody(kind: PayloadKind, nowMs: number): string {
  return bodyOf(buildEntry(kind, nowMs));
}

/** One message: the usual delivery. */
export function messageBody(nowMs: number): string {
  return bodyOf(messagingEntry(nowMs, item(nowMs)));
}

export function messagingEntry(nowMs: number, ...items: unknown[]): { id: string; time: number; messaging: unknown[] } {
  return { id: accountId, time: nowMs, messaging: items };
}

export function changesEntry(nowMs: number, ...changes: unknown[]): { id: string; time: number; changes: unknown[] } {
  return { id: accountId, time: Math.floor(nowMs / 1000), changes };
}

/** An item of a conversation; a message unless `content` says otherwise. */
export function item(nowMs: number, content: object = { message: message() }): object {
  return { sender: { id: userId() }, recipient: { id: accountId }, timestamp: nowMs, ...content };
}

export function message(content: object = { text }): object {
  return { mid: mid(), ...content };
}

export function change(words = text): { field: string; value: object } {
  const media = { id: objectId(), media_product_type: "FEED" };
  return {
    field: "comments",
    value: { id: objectId(), from: { id: userId(), username: "someone" }, media, text: words },
  };
}

/** A batch of comments of about that many bytes. */
export function sizedBody(nowMs: number, bytes: number): string {
  const words = "x".repeat(2_000);
  const count = Math.floor(bytes / bodyOf(changesEntry(nowMs, change(words))).length);
  return bodyOf(changesEntry(nowMs, ...Array.from({ length: count }, () => change(words)))).padEnd(bytes);
}
