/** Deliveries as Meta sends them, with invented values and fresh ids, so that each is a new event. */
import { randomBytes, randomInt } from "node:crypto";

import { eventKinds, type EventKind } from "#instagram/events.ts";

export type PayloadKind = Exclude<EventKind, "unknown">;

export const payloadKinds: readonly PayloadKind[] = eventKinds.filter((kind) => kind !== "unknown");

/** An account of nobody's; all invented events belong to it. */
export const accountId = "17841400000000001";
const appId = "100000000000001";

export function buildPayload(kind: PayloadKind, nowMs: number): unknown {
  return { object: "instagram", entry: [buildEntry(kind, nowMs)] };
}

export function buildEntry(kind: PayloadKind, nowMs: number): Record<string, unknown> {
  return builders[kind](nowMs);
}

type Build = (nowMs: number) => Record<string, unknown>;

const builders: Record<PayloadKind, Build> = {
  message: message(() => ({ mid: mid(), text: "Hello, is this still available?" })),
  "message.echo": (nowMs) =>
    entry(nowMs, "messaging", [
      {
        sender: { id: accountId },
        recipient: { id: userId() },
        timestamp: nowMs,
        message: { mid: mid(), text: "Yes, it is.", is_echo: true },
      },
    ]),
  "message.deleted": message(() => ({ mid: mid(), is_deleted: true })),
  "message.unsupported": message(() => ({ mid: mid(), is_unsupported: true })),
  "message.edited": item(() => ({
    message_edit: { mid: mid(), text: "Hello, is that still available?", num_edit: 1 },
  })),
  reaction: item(() => ({ reaction: { mid: mid(), action: "react", reaction: "love", emoji: "\u2764\uFE0F" } })),
  read: item(() => ({ read: { mid: mid() } })),
  postback: item(() => ({ postback: { mid: mid(), title: "Opening hours?", payload: "OPENING_HOURS" } })),
  referral: item(() => ({ referral: { ref: "spring", source: "SHORTLINK", type: "OPEN_THREAD" } })),
  optin: item((nowMs) => ({
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
  handover: item(() => ({
    pass_thread_control: { previous_owner_app_id: appId, new_owner_app_id: "100000000000002", metadata: "to a person" },
  })),
  policy: (nowMs) =>
    entry(nowMs, "messaging", [
      {
        recipient: { id: accountId },
        timestamp: nowMs,
        policy_enforcement: { action: "warning", reason: "An example." },
      },
    ]),
  feedback: item(() => ({ response_feedback: { feedback: "Good response", mid: mid() } })),
  comment: change("comments", () => comment("FEED")),
  live_comment: change("live_comments", () => comment("LIVE")),
  mention: change("mentions", () => ({ media_id: objectId(), comment_id: objectId() })),
  story_insights: change("story_insights", () => ({
    media_id: objectId(),
    impressions: 28,
    reach: 17,
    taps_forward: 12,
    taps_back: 0,
    exits: 1,
    replies: 0,
  })),
};

function message(build: () => object): Build {
  return item(() => ({ message: build() }));
}

/** An item of a conversation, from a user to the account. */
function item(build: (nowMs: number) => object): Build {
  return (nowMs) =>
    entry(nowMs, "messaging", [
      { sender: { id: userId() }, recipient: { id: accountId }, timestamp: nowMs, ...build(nowMs) },
    ]);
}

/** Meta counts these entries' time in seconds, and those of conversations in milliseconds. */
function change(field: string, build: () => object): Build {
  return (nowMs) => entry(Math.floor(nowMs / 1000), "changes", [{ field, value: build() }]);
}

function entry(time: number, container: "messaging" | "changes", items: unknown[]): Record<string, unknown> {
  return { id: accountId, time, [container]: items };
}

function comment(product: string): object {
  return {
    id: objectId(),
    from: { id: userId(), username: "someone" },
    media: { id: objectId(), media_product_type: product },
    text: "What does it cost?",
  };
}

export function mid(): string {
  return `aWdf${randomBytes(60).toString("base64url")}`;
}

export function userId(): string {
  return `1${digits(15)}`;
}

/** Of a comment or a post. */
export function objectId(): string {
  return `179${digits(14)}`;
}

function digits(count: number): string {
  return Array.from({ length: count }, () => randomInt(10)).join("");
}
