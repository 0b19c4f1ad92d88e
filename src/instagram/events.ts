/** What happened on Instagram. `unknown` is a kind like any other: a signed item is kept even if its shape is not known. */
export const eventKinds = [
  "message",
  "message.echo",
  "message.deleted",
  "message.unsupported",
  "message.edited",
  "reaction",
  "read",
  "postback",
  "referral",
  "optin",
  "handover",
  "policy",
  "feedback",
  "comment",
  "live_comment",
  "mention",
  "story_insights",
  "unknown",
] as const;

export type EventKind = (typeof eventKinds)[number];

/** JSON as it crosses the queue: an integer beyond ±(2^53−1) is a string of the same digits. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One thing that happened on Instagram, classified and keyed but not validated. */
export interface InstagramEvent {
  /** The idempotency key: equal for the same event in any container or delivery, different for different events. */
  key: string;
  kind: EventKind;
  /** The professional account the event belongs to: the entry's id, or the account's side of the conversation. */
  accountId: string;
  senderId?: string;
  recipientId?: string;
  /** When it happened, in milliseconds since the epoch; null if Meta did not say. */
  occurredAtMs: number | null;
  /** When Meta sent it (`entry.time`), in milliseconds since the epoch; null if Meta did not say. */
  sentAtMs: number | null;
  /** The type of an `entry.time` that is no time, or is in microseconds or finer. For the drift report: `data` lacks it. */
  oddTime?: string;
  /** Delivered as a copy because another app has the conversation. */
  standby: boolean;
  /** From the dashboard's Test button (entry id `0`). */
  test: boolean;
  /** The item as Meta sent it. */
  data: Json;
}
