// Items of a conversation as Meta sends them, parsed into events by the parser itself.
import { parseWebhook } from "#instagram/webhook-parser.ts";
import type { InstagramEvent, Json } from "#instagram/events.ts";

export const account = "17841400000000001";
export const person = "1000000000000101";

/** One item of `messaging[]`; `outbound` says who sent it. */
export interface Item {
  outbound?: boolean;
  atMs: number;
  part: Record<string, Json>;
  /** Delivered as a copy, because another app has the conversation. */
  standby?: boolean;
  account?: string;
  person?: string;
  /** Without sender and recipient, as some edits come. */
  anonymous?: boolean;
}

/** The event that the parser makes of an item. */
export async function toEvent({ standby = false, ...item }: Item): Promise<InstagramEvent> {
  const [of, other] = [item.account ?? account, item.person ?? person];
  const ids = item.anonymous
    ? {}
    : { sender: { id: item.outbound ? of : other }, recipient: { id: item.outbound ? other : of } };
  const messaging = [{ ...ids, timestamp: item.atMs, ...item.part }];
  const entry = [{ id: of, time: item.atMs + 500, [standby ? "standby" : "messaging"]: messaging }];
  const body = new TextEncoder().encode(JSON.stringify({ object: "instagram", entry }));
  const [event] = await parseWebhook(body, {
    deliveryId: "unused",
    onFailure: (thrown) => {
      throw thrown;
    },
  });
  if (event === undefined) throw new Error("The item made no event");
  return event;
}

export const message = (mid: string, text: string, more: Record<string, Json> = {}) => ({
  message: { mid, text, ...more },
});
export const echo = (mid: string, text: string) => message(mid, text, { is_echo: true });
export const unsending = (mid: string) => ({ message: { mid, is_deleted: true } });
export const edit = (mid: string, text: string, number: number) => ({ message_edit: { mid, text, num_edit: number } });
export const reading = (mid: string) => ({ read: { mid } });
export const reaction = (mid: string, emoji: string | null) => ({
  reaction: emoji === null ? { mid, action: "unreact" } : { mid, action: "react", emoji, reaction: "other" },
});
