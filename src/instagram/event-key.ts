import { sha256Hex } from "#platform/bytes.ts";

import type { Classified } from "./classify.ts";
import type { Json } from "./events.ts";
import { canonicalJson, idText, isObject, type JsonObject } from "./json.ts";

/** What identity depends on beside the item itself. */
export interface KeyContext {
  accountId: string;
  /** The name of the field, for a change of a kind we do not know. */
  field: string | null;
  /** `entry.time` in milliseconds. */
  sentAtMs: number | null;
  /** The item's own `timestamp` in milliseconds. */
  timestampMs: number | null;
  /** Set for a dashboard test: Meta sends the same ids each time, and each test is to be seen. */
  testDeliveryId: string | null;
}

type KeyPart = string | number | null;

/** A key of such parts can be read as it stands; any other is hashed. It holds no `:`, which parts the parts. */
const plainPart = /^[A-Za-z0-9_+/=.-]*$/;
const plainKeyLengthMax = 400;

/**
 * The idempotency key: equal for the same item whatever container or delivery brings it, and different for different
 * items. Scoped by account, because nothing says how far a message id is unique. Where Meta gives an item no id of its
 * own, its whole content counts; where even that has no time in it, `entry.time` does, which keeps rather than drops.
 */
export function eventKey(classified: Classified, item: Json, context: KeyContext): string | Promise<string> {
  const parts = identity(classified, item, context);
  const all: KeyPart[] = [classified.kind, context.accountId, ...parts];
  if (context.testDeliveryId !== null) all.push("test", context.testDeliveryId);

  const plain = all.map((part) => part ?? "");
  const joined = plain.join(":");
  if (joined.length <= plainKeyLengthMax && plain.every((part) => plainPart.test(String(part)))) return joined;
  return sha256Hex(JSON.stringify(all)).then((hash) => `${classified.kind}:#${hash}`);
}

function identity({ kind, particulars }: Classified, item: Json, context: KeyContext): KeyPart[] {
  const { timestampMs } = context;
  const mid = idText(particulars["mid"]);
  switch (kind) {
    case "message":
    case "message.echo":
    case "message.deleted":
    case "message.unsupported":
      return mid === undefined ? wholeItem(item, context) : [mid];
    case "message.edited":
      return mid === undefined ? wholeItem(item, context) : [mid, ...editNumber(particulars, timestampMs)];
    case "reaction": {
      if (mid === undefined) return wholeItem(item, context);
      const emoji = idText(particulars["emoji"]) ?? idText(particulars["reaction"]) ?? null;
      const action = idText(particulars["action"]) ?? idText(particulars["verb"]) ?? null;
      return [mid, idAt(item, "sender"), action, emoji, timestampMs ?? context.sentAtMs];
    }
    case "read":
      return mid === undefined ? wholeItem(item, context) : [mid, idAt(item, "sender"), timestampMs];
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
      return mediaId === undefined ? wholeItem(item, context) : [mediaId, canonicalJson(particulars)];
    }
    case "referral":
    case "optin":
    case "handover":
    case "policy":
    case "feedback":
      return wholeItem(item, context);
    case "unknown":
      return [context.field, canonicalJson(item), context.sentAtMs];
  }
}

/** `num_edit` 0 announces a new message and repeats: only its time tells one from the next. */
function editNumber(particulars: JsonObject, timestampMs: number | null): KeyPart[] {
  const count = idText(particulars["num_edit"]);
  return count === undefined || count === "0" ? [count ?? null, timestampMs] : [count];
}

function wholeItem(item: Json, { timestampMs, sentAtMs }: KeyContext): KeyPart[] {
  return timestampMs === null ? [canonicalJson(item), sentAtMs] : [canonicalJson(item)];
}

/** `item.sender.id` and its like. */
export function idAt(item: Json, side: "sender" | "recipient" | "from"): string | null {
  const person = isObject(item) ? item[side] : undefined;
  return isObject(person) ? (idText(person["id"]) ?? null) : null;
}
