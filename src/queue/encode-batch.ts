import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#platform/delivery.ts";

import type { Batch } from "./batch.ts";

/** QStash's smallest plan takes 1 MB a message; its failure callback repeats the body in base64, a third larger. */
export const batchBytesMax = 600_000;
export const batchEventsMax = 200;

/** A batch as it is published, with the events it was made of. */
export interface EncodedBatch {
  body: Uint8Array<ArrayBuffer>;
  events: readonly InstagramEvent[];
  /** Which batch of the delivery this is, from 0, and how many there are. */
  place: Batch["delivery"]["batch"];
}

const encoder = new TextEncoder();

/**
 * A delivery's events as the bodies of as few QStash messages as the limits allow, in order; one with no events for a
 * delivery without any, so that its journey is complete too. An event larger than the limit gets a message of its own.
 */
export function encodeBatches(delivery: DeliveryFacts, events: readonly InstagramEvent[]): EncodedBatch[] {
  const groups = groupEvents(events, batchBytesMax - encode(delivery, [99_999, 99_999], "").byteLength);
  return groups.map((group, index) => {
    const place = [index, groups.length] as const;
    return { body: encode(delivery, place, group.json.join()), events: group.events, place };
  });
}

interface Group {
  events: InstagramEvent[];
  json: string[];
}

function groupEvents(events: readonly InstagramEvent[], bytesMax: number): Group[] {
  let group: Group = { events: [], json: [] };
  const groups = [group];
  let bytesLeft = bytesMax;
  for (const event of events) {
    const json = JSON.stringify(event);
    // The comma before it counts too.
    const bytes = encoder.encode(json).byteLength + 1;
    if (group.events.length > 0 && (bytes > bytesLeft || group.events.length === batchEventsMax)) {
      group = { events: [], json: [] };
      groups.push(group);
      bytesLeft = bytesMax;
    }
    group.events.push(event);
    group.json.push(json);
    bytesLeft -= bytes;
  }
  return groups;
}

function encode(facts: DeliveryFacts, batch: EncodedBatch["place"], events: string): Uint8Array<ArrayBuffer> {
  const delivery: Batch["delivery"] = { ...facts, batch };
  return encoder.encode(`{"version":2,"delivery":${JSON.stringify(delivery)},"events":[${events}]}`);
}
