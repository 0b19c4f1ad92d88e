/** Payloads as Meta sends them, with invented values and new ids, so that each event is a new one. */
import { randomBytes, randomInt } from "node:crypto";

import { eventKinds, type EventKind } from "#instagram/events.ts";

export type PayloadKind = Exclude<EventKind, "unknown">;

/** Every kind of event that Meta documents. */
export const payloadKinds: readonly PayloadKind[] = eventKinds.filter((kind) => kind !== "unknown");

/** The invented account to which all these events belong. */
export const accountId = "17841400000000001";
const appId = "100000000000001";

export type Entry = Record<string, unknown>;

/** The payload of a delivery with one event of this kind. */
export function buildPayload(kind: PayloadKind, nowMs: number): unknown {
  return { object: "instagram", entry: [buildEntry(kind, nowMs)] };
}

/** An entry with one event of this kind. */
export function buildEntry(kind: PayloadKind, nowMs: number): Entry {
  return builders[kind](nowMs);
}

/** An entry with items of conversations. Meta writes its time in milliseconds. */
export function messagingEntry(nowMs: number, ...items: unknown[]): Entry {
  return { id: accountId, time: nowMs, messaging: items };
}

/** An entry with changes. Meta writes its time in seconds. */
export function changesEntry(nowMs: number, ...changes: unknown[]): Entry {
  return { id: accountId, time: Math.floor(nowMs / 1000), changes };
}

/** An item of a conversation, from a new user to the account. */
export function item(nowMs: number, content: object): object {
  return { sender: { id: userId() }, recipient: { id: accountId }, timestamp: nowMs, ...content };
}

/** The value of a change for a new comment; without `text` it is a sticker's or a GIF's. */
export function comment(product: string, text?: string): object {
  return {
    id: objectId(),
    from: { id: userId(), username: "someone" },
    media: { id: objectId(), media_product_type: product },
    ...(text === undefined ? {} : { text }),
  };
}

/** A new message's id. */
export function mid(): string {
  return `aWdf${randomBytes(60).toString("base64url")}`;
}

/** A new user's id. */
export function userId(): string {
  return `1${digits(15)}`;
}

/** A new comment's or post's id. */
export function objectId(): string {
  return `179${digits(14)}`;
}

function digits(count: number): string {
  return Array.from({ length: count }, () => randomInt(10)).join("");
}

type Build = (nowMs: number) => Entry;

const builders: Record<PayloadKind, Build> = {
  message: messageItem({ text: "Hello, is this still available?" }),
  "message.echo": (nowMs) => {
    const message = { mid: mid(), text: "Yes, it is.", is_echo: true };
    return messagingEntry(nowMs, item(nowMs, { sender: { id: accountId }, recipient: { id: userId() }, message }));
  },
  "message.deleted": messageItem({ is_deleted: true }),
  "message.unsupported": messageItem({ is_unsupported: true }),
  "message.edited": oneItem(() => ({
    message_edit: { mid: mid(), text: "Hello, is that still available?", num_edit: 1 },
  })),
  reaction: oneItem(() => ({ reaction: { mid: mid(), action: "react", reaction: "love", emoji: "\u2764\uFE0F" } })),
  read: oneItem(() => ({ read: { mid: mid() } })),
  postback: oneItem(() => ({ postback: { mid: mid(), title: "Opening hours?", payload: "OPENING_HOURS" } })),
  referral: oneItem(() => ({ referral: { ref: "spring", source: "SHORTLINK", type: "OPEN_THREAD" } })),
  optin: oneItem((nowMs) => ({
    optin: {
      type: "notification_messages",
      payload: "NEWS",
      title: "News",
      notification_messages_token: randomBytes(12).toString("hex"),
      notification_messages_timezone: "UTC",
      token_expiry_timestamp: String(nowMs + 30 * 86_400_000),
      user_token_status: "NOT_REFRESHED",
    },
  })),
  handover: oneItem(() => ({
    pass_thread_control: { previous_owner_app_id: appId, new_owner_app_id: "100000000000002", metadata: "to a person" },
  })),
  policy: (nowMs) =>
    messagingEntry(nowMs, {
      recipient: { id: accountId },
      timestamp: nowMs,
      policy_enforcement: { action: "warning", reason: "An example." },
    }),
  feedback: oneItem(() => ({ response_feedback: { feedback: "Good response", mid: mid() } })),
  comment: oneChange("comments", () => comment("FEED", "What does it cost?")),
  live_comment: oneChange("live_comments", () => comment("LIVE", "What does it cost?")),
  mention: oneChange("mentions", () => ({ media_id: objectId(), comment_id: objectId() })),
  story_insights: oneChange("story_insights", () => ({
    media_id: objectId(),
    impressions: 28,
    reach: 17,
    taps_forward: 12,
    taps_back: 0,
    exits: 1,
    replies: 0,
  })),
};

function messageItem(content: object): Build {
  return oneItem(() => ({ message: { mid: mid(), ...content } }));
}

function oneItem(build: (nowMs: number) => object): Build {
  return (nowMs) => messagingEntry(nowMs, item(nowMs, build(nowMs)));
}

function oneChange(field: string, build: () => object): Build {
  return (nowMs) => changesEntry(nowMs, { field, value: build() });
}
