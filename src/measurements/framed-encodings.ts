/**
 * Encodings of buckets one after the other, each after its length, its series and its minute (int32, big-endian), as
 * `framedBuckets` of the store reads them: one that is damaged is then known from the others.
 */

import { isEncoding } from "./bucket-bytes.ts";

/** A stored figure whose buckets are no encoding. */
export interface DamagedFigure {
  /** 0 of a sum over regions. */
  seriesId: number;
  /** The start of its interval. */
  atMs: number;
}

export interface FramedEncodings {
  /** Those that can be decoded. */
  intact: Uint8Array[];
  damaged: DamagedFigure[];
}

const headerBytes = 12;

/** Takes them apart; null is none. */
export function splitFrames(framed: Uint8Array | null): FramedEncodings {
  const split: FramedEncodings = { intact: [], damaged: [] };
  if (framed === null) return split;
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  for (let offset = 0; offset < framed.byteLength;) {
    const start = offset + headerBytes;
    const end = start + view.getInt32(offset);
    const encoding = framed.subarray(start, end);
    if (isEncoding(encoding)) split.intact.push(encoding);
    else split.damaged.push({ seriesId: view.getInt32(offset + 4), atMs: view.getInt32(offset + 8) * 60_000 });
    offset = end;
  }
  return split;
}
