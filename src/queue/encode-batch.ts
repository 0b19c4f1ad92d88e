import type { InstagramEvent } from "#instagram/events.ts";
import { encoder } from "#platform/bytes.ts";
import type { ForwardedDelivery } from "#platform/delivery.ts";
import { stringify, toText } from "#platform/natives.ts";

import type { Batch } from "./batch.ts";

/** The most events in one batch. */
export const batchEventsMax = 200;

/** A batch as it is published, with the events it was made of. */
export interface EncodedBatch {
  body: Bytes;
  events: readonly InstagramEvent[];
  place: Batch["delivery"]["batch"];
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Most deliveries bring one event; so few are stringified in one call and need no writer. */
const fewEventsMax = 20;

const [comma = 0] = encoder.encode(",");
const ending = encoder.encode("]}");

/**
 * A delivery's events as the bodies of as few messages as the limits allow, in order. `bytesMax`: of one body. A delivery
 * without events makes one batch, so that its journey is complete too. An event larger than the limit gets a batch of its own.
 */
export function encodeBatches(
  facts: ForwardedDelivery,
  events: readonly InstagramEvent[],
  bytesMax: number,
): EncodedBatch[] {
  if (events.length <= fewEventsMax && facts.bodyBytes <= bytesMax / 2) {
    const place = [0, 1] as const;
    const body = encoder.encode(
      stringify({ version: 2, delivery: { ...facts, batch: place }, events } satisfies Batch),
    );
    if (body.byteLength <= bytesMax) return [{ body, events, place }];
  }
  const writer = createBatchWriter(facts, bytesMax);
  const step = eventsAtOnce(facts.bodyBytes / events.length);
  for (let at = 0; at < events.length; at += step) writer.add(events.slice(at, at + step));
  return writer.finish();
}

/**
 * How many events to stringify in one call. A call for each small event takes half as long again, and so does one call for
 * a large delivery, whose text no longer fits the processor's cache.
 */
function eventsAtOnce(averageBytes: number): number {
  return averageBytes < 2_000 ? fewEventsMax : averageBytes < 10_000 ? 5 : 1;
}

/**
 * Bodies are written into this buffer and then copied, because writing to fresh memory costs more than the copy. By
 * `npm run bench -- --only code` a delivery of 100 events takes 1.51 times the floor this way, and 1.73 times if each batch
 * is stringified and encoded whole (1 MB: 1.26 and 1.43 times).
 */
let scratch = new Uint8Array(0);

/** The count of batches is known at the end; JSON allows white space after the number. */
const roomForCount = " ".repeat(6);

function createBatchWriter(facts: ForwardedDelivery, bytesMax: number) {
  if (scratch.byteLength !== bytesMax) scratch = new Uint8Array(bytesMax);
  const headStart = `{"version":2,"delivery":${stringify(facts).slice(0, -1)},"batch":[`;
  const written: { body: Bytes; events: InstagramEvent[]; countAt: number }[] = [];
  let countAt = 0;
  let length = 0;
  let events: InstagramEvent[] = [];
  begin();

  function begin(): void {
    events = [];
    countAt = encoder.encodeInto(`${headStart}${written.length},`, scratch).written;
    length = countAt + encoder.encodeInto(`${roomForCount}]},"events":[`, scratch.subarray(countAt)).written;
  }

  /** Writes the text between a list's brackets; false if it does not fit. */
  function append(list: string): boolean {
    const text = list.slice(1, -1);
    const at = events.length === 0 ? length : length + 1;
    const result = encoder.encodeInto(text, scratch.subarray(at, -ending.length));
    if (result.read < text.length) return false;
    if (events.length > 0) scratch[length] = comma;
    length = at + result.written;
    return true;
  }

  function end(): void {
    scratch.set(ending, length);
    written.push({ body: scratch.slice(0, length + ending.length), events, countAt });
    begin();
  }

  function add(more: readonly InstagramEvent[]): void {
    const list = stringify(more);
    if (events.length + more.length <= batchEventsMax && append(list)) {
      events.push(...more);
    } else if (more.length > 1) {
      for (const event of more) add([event]);
    } else if (events.length > 0) {
      end();
      add(more);
    } else {
      const body = encoder.encode(`${headStart}${written.length},${roomForCount}]},"events":${list}}`);
      written.push({ body, events: [...more], countAt });
      begin();
    }
  }

  function finish(): EncodedBatch[] {
    if (events.length > 0 || written.length === 0) end();
    return written.map(({ countAt: at, ...batch }, index) => {
      encoder.encodeInto(toText(written.length), batch.body.subarray(at));
      return { ...batch, place: [index, written.length] };
    });
  }

  return { add, finish };
}
