import { randomUUID } from "node:crypto";

import { type Clock, systemClock } from "#platform/clock.ts";
import type { ForwardedDelivery } from "#platform/delivery.ts";

import type { Database } from "../connection/database.ts";
import { repeatConflicts } from "../connection/repeat-conflicts.ts";
import { storableInstant, storableInteger, storableText } from "../connection/storable.ts";
import { isDataRefused, withStoreErrors } from "../connection/store-error.ts";
import type { LeasedEvent } from "../handling/leased-event.ts";
import { deliveryUuid } from "./delivery-uuid.ts";
import { type EventToStore, toRows } from "./event-to-store.ts";
import { type DeliveryValues, type Ingested, ingestRows } from "./ingest-rows.ts";
import { factsOfBatch, firstFactsOfBatch } from "./measured-facts.ts";
import { unsentBy } from "./message-hash.ts";
import { storeApart } from "./store-apart.ts";
import { unsend } from "./unsent-messages.ts";

export type { EventToStore } from "./event-to-store.ts";

export interface BatchToStore {
  delivery: ForwardedDelivery;
  /** How the batch came here; `backfill`: read from Instagram's API. The outcome in a forward's own report takes precedence. */
  via: "queue" | "fallback" | "backfill";
  /** Which batch of the delivery it is, from 0, and how many there are. */
  batch: readonly [index: number, count: number];
  events: readonly EventToStore[];
  /** When the consumer was called: by the wall clock, and by the monotonic one. */
  delivered: { atMs: number; monotonicMs: number };
  /** How long the handlers of its events may take. */
  leaseMs: number;
  /** The queue's id of the message. */
  messageId: string | null;
  /** How often the queue had delivered it before. */
  retried: number;
  /** The trace of the call's spans, 32 hexadecimal digits; null where tracing is off. */
  traceId?: string | null;
  /** Whether the stored text of a message goes when an event says that the message was unsent; by default it does. */
  unsentMessages?: "erase" | "keep";
}

export interface StoredBatch {
  inserted: number;
  duplicates: number;
  /** How many of the inserted events are marked as drifted. */
  drifted: number;
  /** How many of the inserted events were stored without their search columns or with their data as text. */
  reduced: number;
  /** Events whose handlers the caller runs now, in the order of the batch. */
  leased: LeasedEvent[];
  /** Open events of the batch of which a lease ended without a result: they must be leased one at a time. */
  deathIds: number[];
  /** Whether the batch had been stored before. */
  repeated: boolean;
}

/**
 * Stores a batch in one statement: each event whose key is new, with a lease for its handler, and the delivery that carried
 * it. Events that were stored before are linked to the delivery, and leased if they are open and due. A repeated call changes
 * nothing else. An event that Postgres refuses for its content affects no other event. Throws `STORE_UNAVAILABLE`; then nothing
 * is stored.
 */
export async function storeBatch(db: Database, batch: BatchToStore, clock: Clock = systemClock): Promise<StoredBatch> {
  return withStoreErrors(async () => {
    const rows = toRows(batch.events);
    const record = batch.batch[0] === 0 ? "first" : "later";
    const values = deliveryValues(batch, clock);
    if (batch.unsentMessages !== "keep") await unsend(db, unsentBy(batch.events));
    const { recorded, ingested } = await repeatConflicts(async () => {
      try {
        return await ingestRows(db.$client, rows, record, values);
      } catch (thrown) {
        if (!isDataRefused(thrown)) throw thrown;
        return storeApart(db.$client, rows, record, values);
      }
    });
    return summarize(batch, values.deliveryId, recorded, ingested);
  });
}

function deliveryValues(batch: BatchToStore, clock: Clock): DeliveryValues {
  const { delivery } = batch;
  const deliveryId = deliveryUuid(delivery.id);
  return {
    deliveryId,
    batchIndex: batch.batch[0],
    batches: batch.batch[1],
    leaseMs: Math.ceil(batch.leaseMs),
    leaseId: randomUUID(),
    events: batch.events.length,
    deliveredAt: storableInstant(batch.delivered.atMs)?.toISOString() ?? null,
    ingestMs: clock.monotonicMs() - batch.delivered.monotonicMs,
    messageId: batch.messageId === null ? null : storableText(batch.messageId),
    retried: Math.min(batch.retried, 32_767),
    traceId: ownTraceId(batch.traceId ?? null, deliveryId),
    via: batch.via,
    receivedAt: (storableInstant(delivery.receivedAtMs) ?? new Date(0)).toISOString(),
    bodyBytes: storableInteger(delivery.bodyBytes),
    coldStart: delivery.coldStart,
    probe: delivery.probe,
    runtime: delivery.runtime,
    region: delivery.region === null ? null : storableText(delivery.region),
    deployment: delivery.deployment === null ? null : storableText(delivery.deployment),
    ackMs: delivery.ackMs,
    publishStartedAt: storableInstant(delivery.publishStartedAtMs)?.toISOString() ?? null,
    facts: JSON.stringify(factsOfBatch(batch)),
    firstFacts: JSON.stringify(firstFactsOfBatch(batch)),
  };
}

/** A trace that began with the delivery has the digits of its id. */
function ownTraceId(traceId: string | null, deliveryId: string): string | null {
  return traceId !== null && traceId === deliveryId.replaceAll("-", "") ? null : traceId;
}

function summarize(
  batch: BatchToStore,
  deliveryId: string,
  recorded: boolean,
  ingested: readonly Ingested[],
): StoredBatch {
  const inserted = ingested.filter(({ outcome: [, , state] }) => state === "new" || state === "erased");
  const leased = ingested.flatMap((event) => toLeased(event, deliveryId, batch.batch[0]) ?? []);
  return {
    inserted: inserted.length,
    duplicates: batch.events.length - inserted.length,
    drifted: inserted.filter(({ row }) => row.drifted).length,
    reduced: inserted.filter(({ reduced }) => reduced).length,
    leased: leased.toSorted((a, b) => a.id - b.id),
    deathIds: ingested.filter(({ outcome }) => outcome[2] === "risky").map(({ outcome }) => outcome[1]),
    // A statement that was sent again finds its own row.
    repeated: !recorded && inserted.length === 0,
  };
}

function toLeased({ row, outcome }: Ingested, ownDeliveryId: string, ownIndex: number): LeasedEvent | null {
  const [, id, state, fence = 1, attempt = 1, deliveryId = ownDeliveryId, batchIndex = ownIndex, replay = null] =
    outcome;
  if (state !== "new" && state !== "leased") return null;
  const { event, accountId, senderId, recipientId, occurredAt, sentAt, drifted, data, conversation } = row;
  return {
    id,
    fence,
    attempt,
    deaths: 0,
    key: event.key,
    kind: event.kind,
    accountId,
    senderId,
    recipientId,
    occurredAt,
    sentAt,
    standby: event.standby,
    test: event.test,
    drifted,
    data,
    conversation,
    deliveryId,
    batchIndex,
    replay,
  };
}
