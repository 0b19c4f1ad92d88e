/**
 * Encodings of buckets one after the other, each after its length (int32, big-endian), as `framedBuckets` of the store reads
 * them: one that is damaged is then known from the others.
 */

import { isEncoding } from "./bucket-bytes.ts";

export interface FramedEncodings {
  /** Those that can be decoded. */
  intact: Uint8Array[];
  damaged: number;
}

/** Takes them apart; null is none. */
export function splitFrames(framed: Uint8Array | null): FramedEncodings {
  const split: FramedEncodings = { intact: [], damaged: 0 };
  if (framed === null) return split;
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  for (let offset = 0; offset < framed.byteLength;) {
    const start = offset + 4;
    offset = start + view.getInt32(offset);
    const encoding = framed.subarray(start, offset);
    if (isEncoding(encoding)) split.intact.push(encoding);
    else split.damaged += 1;
  }
  return split;
}
