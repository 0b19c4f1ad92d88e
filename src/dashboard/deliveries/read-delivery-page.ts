import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";

import { shownData } from "../events/event-filter.ts";
import { type EventPage, readEvents } from "../events/read-events.ts";
import { numberOf, parseCursor } from "../lists/query-parameters.ts";
import { type DeliveryAttempt, readDeliveryAttempts } from "./read-delivery-attempts.ts";
import { type DeliveryDetails, type DeliveryJourney, readDelivery, type ReadDeliveryOptions } from "./read-delivery.ts";

/** Everything on the page of one delivery. */
export interface DeliveryPageReport {
  journey: DeliveryJourney;
  details: DeliveryDetails;
  /** The attempts from `attemptsFrom` on, two hundred at most. */
  attempts: DeliveryAttempt[];
  attemptsFrom: number;
  page: EventPage;
}

export interface DeliveryPageOptions extends ReadDeliveryOptions {
  /** The cursor of the page of events; empty for the newest. */
  events: string;
  /** The first attempt to show. */
  attempts: number;
  showsText: boolean;
  clock: Pick<Clock, "monotonicMs">;
}

const eventsMax = 50;

/** Reads the page of one delivery. Throws `NOT_FOUND`, and `REQUEST_INVALID` for a cursor that it never gave out. */
export async function readDeliveryPage(
  db: Database,
  id: string,
  { events, attempts: attemptsFrom, showsText, clock, ...options }: DeliveryPageOptions,
): Promise<DeliveryPageReport> {
  const cursor = events === "" ? undefined : parseCursor(events, numberOf);
  if (events !== "" && cursor === undefined)
    throw new RelayError("REQUEST_INVALID", "events is not a cursor that this page gave out");
  const { journey, details } = await readDelivery(db, id, options);
  const attempts =
    attemptsFrom === 0 ? journey.attempts : await readDeliveryAttempts(db, journey.id, { skip: attemptsFrom });
  const filter = { limit: eventsMax, deliveryId: id, cursor, data: "whole" } as const;
  const page = await readEvents(db, shownData(filter, showsText), clock);
  return { journey, details, attempts, attemptsFrom, page };
}
