import { sql } from "drizzle-orm";

import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryOutcomes, ingestedBatches } from "#store/deliveries/delivery-outcomes.ts";

import { deliveryColumns, type DeliveryItem } from "../deliveries/delivery-columns.ts";
import { type DeliveryAttempt, readDeliveryAttempts } from "../deliveries/read-delivery-attempts.ts";
import { type HandlerCall, readHandlerCalls } from "../handlers/read-handler-calls.ts";
import { isoText } from "../iso-text.ts";
import { type EventSurroundings, readEventSurroundings } from "./read-event-surroundings.ts";
import { type EventItem, readEventRows } from "./read-events.ts";
import { type GoodEvent, readLastGoodEvent } from "./read-last-good-event.ts";

/** Everything on the page of one event. */
export interface EventReport {
  event: Omit<EventItem, "data">;
  /** The item as Meta sent it, in the text that is stored; a marker once it is erased. */
  payload: string;
  /** The delivery that brought it; null once that has aged out. Its times are those of the event's own batch. */
  delivery: DeliveryItem | null;
  /** The batch of the delivery that it came in, and the calls to ingest that. */
  batch: number;
  attempts: DeliveryAttempt[];
  /** Attempts at its handler, at most: one and its retries. */
  of: number;
  /** The newest calls of its handler, in the order of time. */
  calls: HandlerCall[];
  surroundings: EventSurroundings;
  /** What its data is compared with; null if nothing is wrong with it, or if there is none. */
  lastGood: GoodEvent | null;
}

export interface ReadEventOptions {
  /** `HANDLER_RETRIES`. */
  handlerRetries: number;
}

/** Reads one event with what belongs to it. Throws `NOT_FOUND` for an unknown id. */
export async function readEvent(db: Database, id: number, { handlerRetries }: ReadEventOptions): Promise<EventReport> {
  const [row] = await readEventRows(db, [id], "whole");
  if (row === undefined) throw new RelayError("NOT_FOUND", "No event with this id is stored");
  const { data, ...event } = row;
  const isWrong = event.drifted || event.state === "dead" || event.state === "retrying";
  const [{ delivery, batch }, calls, surroundings, lastGood] = await Promise.all([
    readBringer(db, event),
    readHandlerCalls(db, id),
    readEventSurroundings(db, event),
    isWrong ? readLastGoodEvent(db, event) : null,
  ]);
  const attempts = await readDeliveryAttempts(db, event.deliveryId, { batch });
  return { event, payload: data, delivery, batch, attempts, of: handlerRetries + 1, calls, surroundings, lastGood };
}

/** The delivery that brought the event, with the times of the batch that it came in. */
async function readBringer(
  db: Database,
  { id, deliveryId, ingestedAt, handledAt }: Pick<EventItem, "id" | "deliveryId" | "ingestedAt" | "handledAt">,
): Promise<Pick<EventReport, "delivery" | "batch">> {
  type Row = DeliveryItem & { batch: number; batchDeliveredAt: string | null } & Record<string, unknown>;
  const batchIndex = sql`(select batch_index from relay.events where id = ${id})`;
  const [batches, { rows }] = await Promise.all([
    db.execute<{ batch: number }>(sql`select ${batchIndex} as batch`),
    db.execute<Row>(sql`
      select ${deliveryColumns}, (
        select ${isoText(sql`b.delivered_at`)} from ${ingestedBatches(deliveryId)} b where b.batch_index = ${batchIndex}
      ) as "batchDeliveredAt"
      from ${deliveryOutcomes()} d
      where d.id = ${deliveryId}
    `),
  ]);
  const batch = batches.rows[0]?.batch ?? 0;
  const [row] = rows;
  if (row === undefined) return { delivery: null, batch };
  const { batchDeliveredAt, ...delivery } = row;
  return { delivery: { ...delivery, deliveredAt: batchDeliveredAt, ingestedAt, handledAt }, batch };
}
