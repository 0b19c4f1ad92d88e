import { sha256Hex } from "#platform/bytes.ts";
import { stringify } from "#platform/natives.ts";

import type { Classified } from "./classify.ts";
import type { EventKind, Json } from "./events.ts";
import { canonicalJson, idText, isObject, type JsonObject } from "./json.ts";

/** What the key depends on beside the item itself. */
export interface KeyContext {
  accountId: string;
  /** The name of the field, for a change of a kind we do not know. */
  field: string | null;
  /** `entry.time` in milliseconds. */
  sentAtMs: number | null;
  /** The item's own `timestamp` in milliseconds. */
  timestampMs: number | null;
  /** Set for a dashboard test: Meta sends the same ids each time, and each test is to be an event. */
  testDeliveryId: string | null;
}

/** An id, a number, or content, which differs from every id and is never readable in a key. */
type KeyPart = string | number | null | { content: string };

/** A key of such parts is readable; any other is hashed. `:` is the separator, so it must not occur in a part. */
const plainPart = /^[A-Za-z0-9_+/=.-]*$/;
const plainKeyLengthMax = 400;

/**
 * The idempotency key: equal for the same item in any container or delivery, and different for different items. A key
 * that `isLong` is to be replaced by its `hashedKey`. Scoped by account, because nothing says how far a message id is
 * unique. Where Meta gives an item no id of its own, its whole content counts; where that has no time in it, `entry.time`
 * counts too: rather two events than one too few.
 */
export function eventKey(classified: Classified, item: Json, context: KeyContext): string {
  const parts: KeyPart[] = [context.accountId, ...identity(classified, item, context)];
  if (classified.mixed) parts.push({ content: canonicalJson(item) });
  if (context.testDeliveryId !== null) parts.push("test", context.testDeliveryId);
  return plainKey(classified.kind, parts) ?? classified.kind + longMark + stringify(parts);
}

/** Between the kind and what is hashed; no plain part has a `#`. */
const longMark = ":#";

/** Whether `eventKey` returned all parts, too long or not plain, for `hashedKey`. */
export function isLong(key: string): boolean {
  return key.includes(longMark);
}

/** The key to store for a long one: its kind, and the SHA-256 of its parts. */
export async function hashedKey(longKey: string): Promise<string> {
  const start = longKey.indexOf(longMark) + longMark.length;
  return longKey.slice(0, start) + (await sha256Hex(longKey.slice(start)));
}

/** The parts as they stand, null as nothing; null if they are too long or not plain. */
function plainKey(kind: EventKind, parts: readonly KeyPart[]): string | null {
  if (!parts.every(isPlain)) return null;
  const key = [kind, ...parts].join(":");
  return key.length <= plainKeyLengthMax ? key : null;
}

function isPlain(part: KeyPart): boolean {
  return typeof part === "string" ? plainPart.test(part) : typeof part === "number" || part === null;
}

function identity({ kind, particulars }: Classified, item: Json, context: KeyContext): KeyPart[] {
  const mid = idText(particulars["mid"]);
  switch (kind) {
    case "message":
    case "message.echo":
    case "message.deleted":
    case "message.unsupported":
      return mid === undefined ? wholeItem(item, context) : [mid];
    case "message.edited":
      return mid === undefined ? wholeItem(item, context) : [mid, ...editNumber(particulars, item, context)];
    case "reaction": {
      if (mid === undefined) return wholeItem(item, context);
      const action = idText(particulars["action"]) ?? idText(particulars["verb"]) ?? null;
      return [mid, idAt(item, "sender"), action, ...emojiOrName(particulars), moment(item, context)];
    }
    case "read":
      return mid === undefined ? wholeItem(item, context) : [mid, idAt(item, "sender"), moment(item, context)];
    case "postback":
      // Before version 11 a postback had no message id.
      return mid === undefined ? wholeItem(item, context) : [mid];
    case "comment":
    case "live_comment": {
      const id = idText(particulars["id"]) ?? idText(particulars["comment_id"]);
      return id === undefined ? wholeItem(item, context) : [id];
    }
    case "mention": {
      const commentId = idText(particulars["comment_id"]);
      if (commentId !== undefined) return ["comment", commentId];
      const mediaId = idText(particulars["media_id"]);
      return mediaId === undefined ? wholeItem(item, context) : ["media", mediaId];
    }
    case "story_insights": {
      // May be sent again with newer counters.
      const mediaId = idText(particulars["media_id"]);
      return mediaId === undefined ? wholeItem(item, context) : [mediaId, { content: canonicalJson(particulars) }];
    }
    case "referral":
    case "optin":
    case "handover":
    case "policy":
    case "feedback":
      return wholeItem(item, context);
    case "unknown":
      return [context.field, { content: canonicalJson(item) }, context.sentAtMs];
  }
}

/** An emoji as its code points, `2764-fe0f`: that is plain, so a reaction's key need not be hashed. */
function emojiOrName({ emoji, reaction }: JsonObject): KeyPart[] {
  const text = idText(emoji);
  if (text === undefined) return [null, idText(reaction) ?? null];
  const codePoints: string[] = [];
  for (const character of text) codePoints.push((character.codePointAt(0) ?? 0).toString(16));
  return [codePoints.join("-")];
}

/** `num_edit` 0 announces a new message and repeats: only its time differs. */
function editNumber(particulars: JsonObject, item: Json, context: KeyContext): KeyPart[] {
  const count = idText(particulars["num_edit"]);
  return count === undefined || count === "0" ? [count ?? null, moment(item, context)] : [count];
}

/** Distinguishes two similar items: when it happened, else when it was sent, else the whole content. */
function moment(item: Json, { timestampMs, sentAtMs }: KeyContext): KeyPart {
  return timestampMs ?? sentAtMs ?? { content: canonicalJson(item) };
}

function wholeItem(item: Json, { timestampMs, sentAtMs }: KeyContext): KeyPart[] {
  const content = { content: canonicalJson(item) };
  return timestampMs === null ? [content, sentAtMs] : [content];
}

/** `item.sender.id` and its like. */
export function idAt(item: Json, side: "sender" | "recipient" | "from"): string | null {
  const person = isObject(item) ? item[side] : undefined;
  return isObject(person) ? (idText(person["id"]) ?? null) : null;
}
