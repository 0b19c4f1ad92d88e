import type { InstagramEvent } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";
import { createBackfillDeliveryId } from "#platform/backfill-delivery.ts";
import { describeCause } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import { personHash } from "#store/erasure/data-deletions.ts";
import { findErased } from "#store/erasure/find-erased.ts";
import { findKnownKeys } from "#store/ingest/find-known-keys.ts";

import { type AfterAnswerOptions, goOnAfterAnswer } from "./after-answer.ts";
import { handleInTurn } from "./handle-in-turn.ts";
import { ingestBatch } from "./ingest.ts";
import type { RunHandlersOptions } from "./run-event-handlers.ts";

export interface IngestBackfillOptions extends RunHandlersOptions, Pick<AfterAnswerOptions, "waitUntil"> {}

/** What a payload held, and how many of its events are new in the store. */
export interface IngestedBackfill {
  events: readonly { kind: string; occurredAtMs: number | null; isKnown: boolean }[];
  inserted: number;
}

/**
 * Ingests what was read from Instagram's API, in the form of a webhook's payload, through the parser and the store of
 * webhooks, with a delivery of its own. Only events of these kinds; those that are stored already, and those of a person
 * who asked afterwards to be erased, are left out. The handlers go on after the promise resolves. `isDryRun`: nothing is
 * stored. Throws `STORE_UNAVAILABLE`.
 */
export async function ingestBackfill(
  payload: unknown,
  { kinds, isDryRun }: { kinds: readonly string[]; isDryRun: boolean },
  { waitUntil, ...options }: IngestBackfillOptions,
): Promise<IngestedBackfill> {
  const { db, clock, newId, deployment } = options;
  const atMs = clock.nowMs();
  const id = createBackfillDeliveryId(atMs, newId());
  const log = options.log.with({ deliveryId: id, via: "backfill" });
  const body = new TextEncoder().encode(JSON.stringify(payload));
  const onFailure = (thrown: unknown) => log.error("delivery.parse_failed", describeCause(thrown));
  const parsed = await parseWebhook(body, { deliveryId: id, onFailure });
  // Meta has sent nothing: the payload names the time at which it happened.
  const wanted = parsed.filter(({ kind }) => kinds.includes(kind)).map((event) => ({ ...event, sentAtMs: null }));
  const events = await markKnown(db, await withoutErased(db, wanted));
  const fresh = events.flatMap(({ event, isKnown }) => (isKnown ? [] : [event]));
  const found = events.map(({ event: { kind, occurredAtMs }, isKnown }) => ({ kind, occurredAtMs, isKnown }));
  if (isDryRun || fresh.length === 0) return { events: found, inserted: 0 };
  const delivery = {
    id,
    runtime: "nodejs" as const,
    region: null,
    deployment,
    coldStart: false,
    receivedAtMs: atMs,
    bodyBytes: body.byteLength,
    secretIndex: 0,
    probe: false,
    ackMs: null,
    publishStartedAtMs: null,
    batch: [0, 1] as const,
  };
  const call = { via: "backfill" as const, messageId: null, retried: null, atMs, monotonicMs: clock.monotonicMs() };
  const { inserted, toRun } = await ingestBatch({ version: 2, delivery, events: fresh }, call, { ...options, log });
  if (toRun !== null) await goOnAfterAnswer(handleInTurn(toRun, { ...options, log }), { waitUntil, log });
  return { events: found, inserted };
}

/** What happened before a person's request to be erased must not come back; what happens afterwards is new. */
async function withoutErased(db: Database, events: readonly InstagramEvent[]): Promise<InstagramEvent[]> {
  const hashesOf = ({ senderId, recipientId }: InstagramEvent) =>
    [senderId, recipientId].flatMap((person) => (person === undefined ? [] : [personHash(person)]));
  const { people } = await findErased(db, { people: [...new Set(events.flatMap(hashesOf))], messages: [] });
  if (people.size === 0) return [...events];
  return events.filter((event) => {
    const happenedMs = event.occurredAtMs ?? -Infinity;
    return !hashesOf(event).some((hash) => (people.get(hash) ?? -Infinity) >= happenedMs);
  });
}

/**
 * Kinds that one thing may have come under: the API does not say which messages were postbacks, and not always which are
 * unsupported; what was said during a broadcast is a comment to it.
 */
const aliases = [
  ["message", "message.echo", "message.unsupported", "postback"],
  ["comment", "live_comment"],
];

async function markKnown(
  db: Database,
  events: readonly InstagramEvent[],
): Promise<{ event: InstagramEvent; isKnown: boolean }[]> {
  const known = await findKnownKeys(db, events.flatMap(keysOf));
  return events.map((event) => ({ event, isKnown: keysOf(event).some((key) => known.has(key)) }));
}

/** A key is its kind and what identifies the thing, whatever the kind. */
function keysOf({ kind, key }: InstagramEvent): string[] {
  const kinds = aliases.find((group) => group.includes(kind)) ?? [kind];
  return kinds.map((one) => one + key.slice(kind.length));
}
