import { hasOwn, toText } from "#platform/natives.ts";

import type { EventKind, Json } from "./events.ts";
import { isObject, type JsonObject } from "./json.ts";

/** The kind that a key of a messaging item stands for, in order of precedence: Meta's samples have items with two. */
const kindByItemKey = new Map<string, EventKind>([
  ["message", "message"],
  ["reaction", "reaction"],
  ["postback", "postback"],
  ["message_edit", "message.edited"],
  ["read", "read"],
  ["optin", "optin"],
  ["referral", "referral"],
  ["pass_thread_control", "handover"],
  ["take_thread_control", "handover"],
  ["request_thread_control", "handover"],
  ["pass_thread_metadata", "handover"],
  ["app_roles", "handover"],
  ["policy_enforcement", "policy"],
  ["response_feedback", "feedback"],
]);
const precedence = [...kindByItemKey.keys()];

/** The kind that a subscribed field carries. Meta's pages disagree on the names of some fields: each spelling is here. */
const kindByField: Readonly<Record<string, EventKind>> = {
  messages: "message",
  message_echoes: "message.echo",
  message_edit: "message.edited",
  message_edits: "message.edited",
  message_reactions: "reaction",
  messaging_reactions: "reaction",
  messaging_postbacks: "postback",
  messaging_referral: "referral",
  messaging_referrals: "referral",
  messaging_seen: "read",
  message_reads: "read",
  messaging_optins: "optin",
  messaging_handover: "handover",
  messaging_handovers: "handover",
  messaging_policy_enforcement: "policy",
  response_feedback: "feedback",
  comments: "comment",
  live_comments: "live_comment",
  mentions: "mention",
  story_insights: "story_insights",
};

/** An item's kind and the part of it that holds the particulars: `item.message` of a message, the item itself of a comment. */
export interface Classified {
  kind: EventKind;
  particulars: JsonObject;
  /** Whether the item has the keys of another kind too: then it differs from an item without them. */
  mixed: boolean;
}

/** Classifies a messaging item by its keys; `unknown` if it has no known key. */
export function classifyItem(item: JsonObject): Classified {
  let found: string | undefined;
  let mixed = false;
  for (const key in item) {
    if (!kindByItemKey.has(key) || !isObject(item[key])) continue;
    mixed = found !== undefined;
    if (found === undefined || precedence.indexOf(key) < precedence.indexOf(found)) found = key;
  }
  const particulars = found === undefined ? undefined : item[found];
  const kind = found === undefined ? undefined : kindByItemKey.get(found);
  if (kind === undefined || !isObject(particulars)) return { kind: "unknown", particulars: item, mixed: false };
  return { kind: kind === "message" ? messageKind(particulars) : kind, particulars, mixed };
}

/**
 * Classifies a change by its value's keys, because the dashboard's Test button sends messaging items in `changes`; if it
 * has none, by its field's name: then the value itself holds the particulars.
 */
export function classifyChange(field: string, value: JsonObject): Classified {
  const kind = hasOwn(kindByField, field) ? kindByField[field] : undefined;
  if (field !== "standby" && kind === undefined) return { kind: "unknown", particulars: value, mixed: false };
  if (kind === "comment" || kind === "live_comment" || kind === "mention" || kind === "story_insights") {
    return { kind, particulars: value, mixed: false };
  }
  const byKeys = classifyItem(value);
  return byKeys.kind === "unknown" ? { kind: kind ?? "unknown", particulars: value, mixed: false } : byKeys;
}

/**
 * Deletion first: it is an update of any kind of message. Then the echo: a bot that takes its own message for a
 * customer's answers itself.
 */
function messageKind(message: JsonObject): EventKind {
  if (isTrue(message["is_deleted"])) return "message.deleted";
  if (isTrue(message["is_echo"])) return "message.echo";
  if (isTrue(message["is_unsupported"])) return "message.unsupported";
  return "message";
}

/** True also for `"true"` and 1: a flag that changes its type must not change the kind. The schemas report the change. */
function isTrue(flag: Json | undefined): boolean {
  return typeof flag !== "object" && /^(true|1)$/i.test(toText(flag));
}
