import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#platform/delivery.ts";
import { stringify, toText } from "#platform/natives.ts";

import type { Batch } from "./batch.ts";

/** QStash's smallest plan takes 1 MB a message; its failure callback repeats the body in base64, a third larger. */
export const batchBytesMax = 600_000;
export const batchEventsMax = 200;

/** So few are not worth dividing: most deliveries bring one. */
const fewEventsMax = 20;

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const [comma = 0] = encoder.encode(",");
const ending = encoder.encode("]}");

/**
 * A delivery's events as the bodies of as few QStash messages as the limits allow, in order; one with no events for a
 * delivery without any, so that its journey is complete too. An event larger than the limit gets a message of its own.
 */
export function encodeBatches(facts: DeliveryFacts, events: readonly InstagramEvent[]): Bytes[] {
  if (events.length <= fewEventsMax && facts.bodyBytes <= batchBytesMax / 2) {
    const batch: Batch = { version: 2, delivery: { ...facts, batch: [0, 1] }, events };
    const body = encoder.encode(stringify(batch));
    if (body.byteLength <= batchBytesMax) return [body];
  }
  const writer = createBatchWriter(facts);
  const step = eventsAtOnce(facts.bodyBytes / events.length);
  for (let at = 0; at < events.length; at += step) writer.add(events.slice(at, at + step));
  return writer.finish();
}

/**
 * How many events to stringify in one call: a call for each small one takes half as long again, and so does one for all
 * of a large delivery, whose text no longer fits the processor's cache.
 */
function eventsAtOnce(averageBytes: number): number {
  return averageBytes < 2_000 ? fewEventsMax : averageBytes < 10_000 ? 5 : 1;
}

/** Where a body is written before it is copied out: fresh memory costs more than what is written to it. */
const scratch = new Uint8Array(batchBytesMax);

/** How many bodies there are is known at the end; JSON allows white space after the number. */
const roomForCount = " ".repeat(6);

function createBatchWriter(facts: DeliveryFacts) {
  const headStart = `{"version":2,"delivery":${stringify(facts).slice(0, -1)},"batch":[`;
  const bodies: { bytes: Bytes; countAt: number }[] = [];
  let countAt = 0;
  let length = 0;
  let events = 0;
  begin();

  function begin(): void {
    events = 0;
    countAt = encoder.encodeInto(`${headStart}${bodies.length},`, scratch).written;
    length = countAt + encoder.encodeInto(`${roomForCount}]},"events":[`, scratch.subarray(countAt)).written;
  }

  /** Writes what stands between a list's brackets; false if it does not fit. */
  function append(list: string): boolean {
    const text = list.slice(1, -1);
    const at = events === 0 ? length : length + 1;
    const { read, written } = encoder.encodeInto(text, scratch.subarray(at, -ending.length));
    if (read < text.length) return false;
    if (events > 0) scratch[length] = comma;
    length = at + written;
    return true;
  }

  function end(): void {
    scratch.set(ending, length);
    bodies.push({ bytes: scratch.slice(0, length + ending.length), countAt });
    begin();
  }

  function add(part: readonly InstagramEvent[]): void {
    const list = stringify(part);
    if (events + part.length <= batchEventsMax && append(list)) {
      events += part.length;
    } else if (part.length > 1) {
      for (const event of part) add([event]);
    } else if (events > 0) {
      end();
      add(part);
    } else {
      bodies.push({
        bytes: encoder.encode(`${headStart}${bodies.length},${roomForCount}]},"events":${list}}`),
        countAt,
      });
      begin();
    }
  }

  function finish(): Bytes[] {
    if (events > 0 || bodies.length === 0) end();
    return bodies.map((body) => {
      encoder.encodeInto(toText(bodies.length), body.bytes.subarray(body.countAt));
      return body.bytes;
    });
  }

  return { add, finish };
}
