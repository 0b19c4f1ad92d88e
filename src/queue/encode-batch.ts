import type { InstagramEvent } from "#instagram/events.ts";
import type { DeliveryFacts } from "#instagram/received-delivery.ts";

import type { Batch } from "./batch.ts";

/** QStash's smallest plan takes 1 MB a message; its failure callback repeats the body in base64, a third larger. */
export const batchBytesMax = 600_000;
export const batchEventsMax = 200;

const encoder = new TextEncoder();

/**
 * A delivery's events as the bodies of as few QStash messages as the limits allow, in order; one with no events for a
 * delivery without any, so that its journey is complete too. An event larger than the limit gets a message of its own.
 */
export function encodeBatches(facts: DeliveryFacts, events: readonly InstagramEvent[]): Uint8Array<ArrayBuffer>[] {
  const chunks = splitIntoChunks(events.map((event) => JSON.stringify(event)));
  return chunks.map((chunk, index) => {
    const delivery: Batch["delivery"] = { ...facts, chunk: [index, chunks.length] };
    return encoder.encode(`{"version":1,"delivery":${JSON.stringify(delivery)},"events":[${chunk.join(",")}]}`);
  });
}

function splitIntoChunks(texts: readonly string[]): string[][] {
  const chunks: string[][] = [[]];
  let bytes = 0;
  for (const text of texts) {
    const textBytes = utf8Bytes(text);
    let chunk = chunks.at(-1) ?? [];
    if (chunk.length > 0 && (chunk.length >= batchEventsMax || bytes + textBytes > batchBytesMax)) {
      chunk = [];
      bytes = 0;
      chunks.push(chunk);
    }
    chunk.push(text);
    bytes += textBytes + 1;
  }
  return chunks;
}

/** The UTF-8 length of a text without encoding it. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes; JSON.stringify leaves no half of one behind.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
