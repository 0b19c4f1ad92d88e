import type { EventItem } from "#dashboard/events/read-events.ts";

import { toDeliveryBody } from "../dead-letter-payload.ts";

/** Events that go together: as the body of one delivery, or left out for one reason. */
export interface Forwarded {
  events: readonly EventItem[];
  /** Null for what cannot be delivered again. */
  body: Uint8Array | null;
  skipped: { deliveryId: null; skipped: string | null };
}

/** A webhook takes 3 MB by default; an event alone may have more. */
const bytesMax = 1_000_000;

/** As many tests as a listener remembers. */
const testsMax = 1_000;

/**
 * In the order of the events: those that one delivery brought stay together. `tests` remembers the tests of this listener. A
 * relay stores each test that it gets as a new one, so two relays that listen to one another would pass it round for ever.
 */
export function toDeliveries(events: readonly EventItem[], tests: Set<string>): Forwarded[] {
  const groups: { events: EventItem[]; bytes: number; reason: string | null }[] = [];
  for (const event of events) {
    const reason = reasonToSkip(event, tests);
    const bytes = JSON.stringify(event.data).length;
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      reason === group.reason &&
      event.deliveryId === group.events[0]?.deliveryId &&
      group.bytes + bytes <= bytesMax;
    if (!fits) groups.push({ events: [event], bytes, reason });
    else {
      group.events.push(event);
      group.bytes += bytes;
    }
  }
  return groups.map(({ events: carried, reason }) => ({
    events: carried,
    body: reason === null ? toDeliveryBody(carried.map(toStoredItem)) : null,
    skipped: { deliveryId: null, skipped: reason },
  }));
}

function reasonToSkip({ erasedAt, data, test, kind, sentAt }: EventItem, tests: Set<string>): string | null {
  if (test) {
    const content = JSON.stringify([kind, sentAt, data]);
    if (tests.has(content)) return "a test that was delivered before";
    tests.add(content);
    const [oldest] = tests;
    if (tests.size > testsMax && oldest !== undefined) tests.delete(oldest);
  }
  if (erasedAt !== null) return "erased there";
  const isBytes = typeof (data as { bodyBase64?: unknown } | null)?.bodyBase64 === "string";
  return isBytes ? "a body that could not be read" : null;
}

function toStoredItem({ kind, accountId, sentAt, standby, data }: EventItem) {
  return { kind, accountId, sentAtMs: sentAt === null ? null : Date.parse(sentAt), standby, data };
}
