import type { InstagramEvent } from "#instagram/events.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { personHash } from "#store/erasure/data-deletions.ts";
import type { Erased } from "#store/erasure/find-erased.ts";
import { messageHash } from "#store/ingest/message-hash.ts";

/** Finds which of these people and messages were erased. */
export type FindErased = (hashes: { people: readonly string[]; messages: readonly string[] }) => Promise<Erased>;

/** Bytes of a batch after the check: `whole` as they were, `redacted` without the erased events, `dropped` altogether. */
export type Redaction = { outcome: "whole" } | { outcome: "redacted"; body: Uint8Array } | { outcome: "dropped" };

/**
 * Takes the events of erased people and of unsent messages out of the bytes of a batch, so that no replay brings them back.
 * Of a person only what was received before the request: later events are new. Bytes that are no batch, or only the
 * beginning of one, are dropped if they hold a person's id.
 */
export async function redactBatch(body: Uint8Array, findErased: FindErased): Promise<Redaction> {
  const text = new TextDecoder().decode(body);
  const batch = decode(text);
  if (batch === undefined) {
    const { people } = await findErased({ people: idsIn(text), messages: [] });
    return people.size > 0 ? { outcome: "dropped" } : { outcome: "whole" };
  }
  const named = batch.events.map((event) => ({ event, people: idsOf(event), message: messageOf(event) }));
  const erased = await findErased({
    people: [...new Set(named.flatMap(({ people }) => people))],
    messages: named.flatMap(({ message }) => message ?? []),
  });
  const { receivedAtMs } = batch.delivery;
  const isErased = ({ people, message }: (typeof named)[number]) =>
    (message !== null && erased.messages.has(message)) ||
    people.some((person) => (erased.people.get(person) ?? -Infinity) >= receivedAtMs);
  const kept = named.filter((one) => !isErased(one)).map(({ event }) => event);
  if (kept.length === named.length) return { outcome: "whole" };
  return { outcome: "redacted", body: new TextEncoder().encode(JSON.stringify({ ...batch, events: kept })) };
}

function decode(text: string): Batch | undefined {
  try {
    return decodeBatch(text);
  } catch {
    // Not a batch, or one of a newer release.
    return undefined;
  }
}

function idsOf({ accountId, senderId, recipientId, data }: InstagramEvent): string[] {
  const ids = [accountId, senderId, recipientId].flatMap((id) => (id === undefined ? [] : [personHash(id)]));
  // The columns say whom an event is about, unless it has none.
  return senderId === undefined && recipientId === undefined ? [...ids, ...idsIn(JSON.stringify(data))] : ids;
}

function messageOf(event: InstagramEvent): string | null {
  return event.test ? null : messageHash(event);
}

/** Hashes of all short JSON strings in a text, also of those inside a string. */
function idsIn(text: string): string[] {
  const strings = [...text.matchAll(/"([^"\\]{1,200})\\?"/g)].map(([, string = ""]) => personHash(string));
  return [...new Set(strings)];
}
