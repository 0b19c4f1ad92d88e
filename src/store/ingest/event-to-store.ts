import type { Drift, Finding } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";

import { jsonText } from "../connection/json-text.ts";
import { storableInstant, storableText } from "../connection/storable.ts";
import { hashUuid } from "./delivery-uuid.ts";
import { messageHash } from "./message-hash.ts";

/** An event with the result of comparing its data with its kind's schema. */
export type EventToStore = InstagramEvent & Drift;

/** An event as its row holds it. */
export interface EventRow {
  hash: string;
  /** If `unsent_messages` has it, the event is stored without its text. */
  unsentHash: string | null;
  event: InstagramEvent;
  accountId: string;
  senderId: string | null;
  recipientId: string | null;
  occurredAt: Date | null;
  sentAt: Date | null;
  drifted: boolean;
  findings: readonly Finding[];
  data: string;
  conversation: string | null;
}

/** The rows of a batch's events in its order, of those with one key the first. */
export function toRows(events: readonly EventToStore[]): EventRow[] {
  const rows = new Map<string, EventRow>();
  for (const event of events) {
    const hash = hashUuid(event.key);
    if (!rows.has(hash)) rows.set(hash, toRow(event, hash));
  }
  return [...rows.values()];
}

function toRow(event: EventToStore, hash: string): EventRow {
  const { senderId, recipientId } = event;
  return {
    hash,
    unsentHash: messageHash(event),
    event,
    accountId: storableText(event.accountId),
    senderId: senderId === undefined ? null : storableText(senderId),
    recipientId: recipientId === undefined ? null : storableText(recipientId),
    occurredAt: storableInstant(event.occurredAtMs),
    sentAt: storableInstant(event.sentAtMs),
    drifted: event.drifted,
    findings: event.findings,
    data: jsonText(event.data),
    conversation: conversationOf(event),
  };
}

/** Account and other side, whichever of them sent it; null where one is missing. */
function conversationOf({ accountId, senderId, recipientId }: InstagramEvent): string | null {
  const other = senderId === accountId ? recipientId : senderId;
  return other === undefined || accountId === "" ? null : `${storableText(accountId)}:${storableText(other)}`;
}

const noSearchColumns = { accountId: "", senderId: null, recipientId: null, occurredAt: null, sentAt: null };

/**
 * What of an event is stored where Postgres refuses the row as it is, in the order in which it is tried: without its search
 * columns, with its data as a string that holds the JSON, and with both.
 */
export function reductions(row: EventRow): EventRow[] {
  const mismatch: Finding = { finding: "mismatch", path: "$", shape: "string" };
  const asString = { ...row, data: JSON.stringify(row.data), drifted: true, findings: [mismatch] };
  return [{ ...row, ...noSearchColumns }, asString, { ...asString, ...noSearchColumns }];
}
