import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#platform/delivery.ts";
import { stringify } from "#platform/natives.ts";

import type { Batch } from "./batch.ts";

/** QStash's smallest plan takes 1 MB a message; its failure callback repeats the body in base64, a third larger. */
export const batchBytesMax = 600_000;
export const batchEventsMax = 200;

/** A batch as it is published, with the events it was made of. */
export interface EncodedBatch {
  body: Uint8Array<ArrayBuffer>;
  events: readonly InstagramEvent[];
  place: Batch["delivery"]["batch"];
}

/** Room for a delivery's facts and the batch's place, which have a few hundred bytes. */
const listBytesMax = batchBytesMax - 2_000;

const encoder = new TextEncoder();
const ending = encoder.encode("}");

/**
 * A delivery's events as the bodies of QStash messages, in order: 200 events in each, fewer where their bytes demand it.
 * A delivery without events makes one batch, so that its journey is complete too. An event larger than the limit gets a
 * batch of its own.
 */
export function encodeBatches(facts: DeliveryFacts, events: readonly InstagramEvent[]): EncodedBatch[] {
  const groups = events.length === 0 ? [groupOf(events)] : [];
  for (let at = 0; at < events.length; at += batchEventsMax) {
    groups.push(...splitToFit(groupOf(events.slice(at, at + batchEventsMax))));
  }
  return groups.map((group, index) => {
    const delivery: Batch["delivery"] = { ...facts, batch: [index, groups.length] };
    const head = `{"version":2,"delivery":${stringify(delivery)},"events":`;
    const { list } = group;
    const body =
      typeof list === "string" ? encoder.encode(`${head}${list}}`) : concat(encoder.encode(head), list, ending);
    return { body, events: group.events, place: delivery.batch };
  });
}

/** Some events of a delivery, in order, and their JSON array: as text, or encoded if it may be too large. */
interface Group {
  events: readonly InstagramEvent[];
  list: string | Uint8Array;
}

/**
 * One call stringifies all: a call for each event would take half as long again. A long text is encoded by itself and
 * measured: encoding it again with its head would take 11 ms instead of 9 for a delivery of 1 MB, parsing included.
 */
function groupOf(events: readonly InstagramEvent[]): Group {
  const json = stringify(events);
  // A UTF-16 unit takes at most three bytes of UTF-8.
  return { events, list: json.length * 3 <= listBytesMax ? json : encoder.encode(json) };
}

/** Halves a group until its parts fit or are single events. */
function splitToFit(group: Group): Group[] {
  const { events, list } = group;
  if (typeof list === "string" || list.byteLength <= listBytesMax || events.length === 1) return [group];
  const middle = Math.ceil(events.length / 2);
  return [events.slice(0, middle), events.slice(middle)].flatMap((half) => splitToFit(groupOf(half)));
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
