// Which message an event belongs to, so that its unsending finds it.
import type { EventKind, InstagramEvent, Json } from "#instagram/events.ts";

import { hashUuid } from "./delivery-uuid.ts";

/** The kinds that hold a text of a message, and the part of their data that names the message. */
const partOfKind: Partial<Record<EventKind, string>> = {
  message: "message",
  "message.echo": "message",
  "message.unsupported": "message",
  "message.edited": "message_edit",
  postback: "postback",
};

type Identified = Pick<InstagramEvent, "kind" | "key" | "accountId" | "data" | "test">;

/**
 * The message that an event holds a text of: a hash of its account and its message id, as a UUID, equal for the message and
 * its edits. Null for every other event.
 */
export function messageHash(event: Identified): string | null {
  const part = partOfKind[event.kind];
  const mid = part === undefined ? null : messageId(event, part);
  return mid === null ? null : hashOfMessage(event.accountId, mid);
}

/** The same for a message by its id. */
export function hashOfMessage(accountId: string, mid: string): string {
  return hashUuid(`${accountId}\n${mid}`);
}

/** A message that was unsent. */
export interface UnsentMessage {
  hash: string;
  accountId: string;
  messageId: string;
}

/** The messages that these events unsend. Meta's dashboard tests repeat one id and unsend nothing. */
export function unsentBy(events: readonly Identified[]): UnsentMessage[] {
  return events.flatMap((event) => {
    const mid = event.kind === "message.deleted" && !event.test ? messageId(event, "message") : null;
    if (mid === null) return [];
    const { accountId } = event;
    return [{ hash: hashOfMessage(accountId, mid), accountId, messageId: mid }];
  });
}

/** Keys under which a message with a plain id is stored, but for its edits, whose keys have a number. */
export function plainKeys(message: UnsentMessage): string[] {
  const kinds: EventKind[] = ["message", "message.echo", "message.unsupported", "postback"];
  return kinds.map((kind) => `${kind}:${message.accountId}:${message.messageId}`);
}

/** As SQL's `relay.message_id`: a readable key is `kind:account:mid`, perhaps with more behind it; a hashed one is shorter. */
function messageId({ key, data }: Identified, part: string): string | null {
  const fromKey = key.split(":")[2];
  if (fromKey !== undefined) return fromKey === "" ? null : fromKey;
  const mid = member(member(data, part) ?? data, "mid");
  if ((typeof mid !== "string" && typeof mid !== "number") || mid === "") return null;
  // Half of an emoji and NUL, as `relay.readable` reads them.
  return Buffer.from(String(mid).replaceAll("\0", "\uFFFD")).toString();
}

function member(value: Json | undefined, name: string): Json | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, Json>>)[name] : undefined;
}
