import { sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes } from "#store/deliveries/delivery-outcomes.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";

import { type EventHandling, readEventHandling } from "../events/read-event-handling.ts";
import { deliveryColumns, type DeliveryItem } from "./delivery-columns.ts";
import type { ReadNextDelivery } from "./next-delivery.ts";
import { type DeliveryAttempt, readDeliveryAttempts } from "./read-delivery-attempts.ts";

/** One delivery's way from Meta to the handlers; null is unknown, or has not happened yet. */
export interface DeliveryJourney extends DeliveryItem {
  /** The queue's calls (or the fallback's) to ingest its batches. */
  attempts: DeliveryAttempt[];
  /** When the queue tries again, while it has a batch that is not ingested; absent if that is unknown. */
  nextDeliveryAt?: string;
  /** The events whose handlers have more to tell than one success at the first attempt. */
  handlers: EventHandling[];
}

/** Further facts about the delivery and its forward. */
export interface DeliveryDetails {
  bodyBytes: number;
  publishMs: number | null;
  publishAttempts: number | null;
  timeouts: number | null;
  batches: { ingested: number; total: number | null };
}

export interface ReadDeliveryOptions {
  /** `HANDLER_RETRIES`. */
  handlerRetries: number;
  readNextDelivery: ReadNextDelivery;
}

/** Reads one delivery; throws `NOT_FOUND` for an unknown id. */
export async function readDelivery(
  db: Database,
  id: string,
  { handlerRetries, readNextDelivery }: ReadDeliveryOptions,
): Promise<{ journey: DeliveryJourney; details: DeliveryDetails }> {
  const uuid = deliveryUuid(id);
  const [row] = (
    await db.execute<DeliveryRow>(sql`
      select ${deliveryColumns}, d.body_bytes as "bodyBytes", d.publish_ms as "publishMs",
        d.attempts as "publishAttempts", d.timeouts, d.ingested_batches as "ingestedBatches", d.batches as "allBatches",
        d.complete, d.message_ids as "messageIds"
      from ${deliveryOutcomes()} d
      where d.id = ${uuid}
    `)
  ).rows;
  const attempts = await readDeliveryAttempts(db, uuid);
  if (row === undefined) throw unknownDelivery(attempts);
  const {
    bodyBytes,
    publishMs,
    publishAttempts,
    timeouts,
    ingestedBatches,
    allBatches,
    complete,
    messageIds,
    ...item
  } = row;
  const nextDeliveryAt = complete ? undefined : await readNextDelivery(messageIds ?? messageIdsOf(attempts));
  return {
    journey: {
      ...item,
      attempts,
      ...(nextDeliveryAt === undefined ? {} : { nextDeliveryAt }),
      handlers: await readEventHandling(db, uuid, handlerRetries),
    },
    details: {
      bodyBytes,
      publishMs,
      publishAttempts,
      timeouts,
      batches: { ingested: ingestedBatches, total: allBatches },
    },
  };
}

interface DeliveryRow extends DeliveryItem, Record<string, unknown> {
  bodyBytes: number;
  publishMs: number | null;
  publishAttempts: number | null;
  timeouts: number | null;
  ingestedBatches: number;
  allBatches: number | null;
  complete: boolean;
  messageIds: string[] | null;
}

function messageIdsOf(attempts: readonly DeliveryAttempt[]): string[] {
  return [...new Set(attempts.flatMap(({ messageId }) => (messageId === null ? [] : [messageId])))];
}

/** A delivery without a row may have been tried all the same. */
function unknownDelivery(attempts: readonly DeliveryAttempt[]): RelayError {
  const last = attempts.at(-1);
  if (last === undefined)
    return new RelayError(
      "NOT_FOUND",
      "No such delivery is stored; one that still waits at the queue is not known here",
    );
  const answer = `${last.status}${last.error === null ? "" : ` ${last.error}`}`;
  return new RelayError(
    "NOT_FOUND",
    `No such delivery is stored yet; of ${attempts.length} attempts to ingest it, the last was answered with ${answer} at ${last.at}`,
  );
}
