/**
 * The buckets of a histogram in bytes, as figures are stored: reading a month of them is then a matter of milliseconds,
 * whatever they hold. Runs of buckets, each with the lowest one's number (int16), how many counts follow (uint16), and 2, 4
 * or 8 for the bytes of each (uint16): a whole number, or a floating-point number. Little-endian. Several encodings in a row
 * are one, too.
 */

import { bucketMax, bucketMin, zeroBucket } from "./histogram.ts";

const headerBytes = 6;
/** A gap of more empty buckets than this is left out, so that an outlier costs little. */
const gapMax = 8;

/** Encodes the buckets that hold anything. */
export function encodeBuckets(buckets: ReadonlyMap<number, number>): Uint8Array {
  const runs = runsOf(buckets);
  const view = new DataView(
    new ArrayBuffer(runs.reduce((sum, { length, width }) => sum + headerBytes + length * width, 0)),
  );
  let offset = 0;
  for (const { entries, first, length, width } of runs) {
    view.setInt16(offset, first, true);
    view.setUint16(offset + 2, length, true);
    view.setUint16(offset + 4, width, true);
    offset += headerBytes;
    for (const [bucket, count] of entries) {
      const at = offset + (bucket - first) * width;
      if (width === 2) view.setUint16(at, count, true);
      else if (width === 4) view.setFloat32(at, count, true);
      else view.setFloat64(at, count, true);
    }
    offset += length * width;
  }
  return new Uint8Array(view.buffer);
}

interface Run {
  entries: [bucket: number, count: number][];
  first: number;
  length: number;
  width: 2 | 4 | 8;
}

function runsOf(buckets: ReadonlyMap<number, number>): Run[] {
  const runs: Run[] = [];
  for (const [bucket, count] of [...buckets].toSorted(([a], [b]) => a - b)) {
    if (count === 0) continue;
    let run = runs.at(-1);
    if (run === undefined || bucket - (run.first + run.length - 1) > gapMax) {
      runs.push((run = { entries: [], first: bucket, length: 1, width: 2 }));
    }
    run.entries.push([bucket, count]);
    run.length = bucket - run.first + 1;
    run.width = Math.max(run.width, widthOf(count)) as Run["width"];
  }
  return runs;
}

/** The fewest bytes that hold a count exactly. */
function widthOf(count: number): Run["width"] {
  if (Number.isInteger(count) && count >= 0 && count <= 65_535) return 2;
  return Math.fround(count) === count ? 4 : 8;
}

/** Sums while buckets are decoded, all zero in between: a map, or an array of its own, would take most of the time of a read. */
const sums = new Float64Array(bucketMax - bucketMin + 1);

/** The buckets of any number of encodings, each of which may be several in a row. */
export function decodeBuckets(encodings: readonly Uint8Array[]): Map<number, number> {
  const buckets = new Map<number, number>();
  try {
    const zeros = encodings.reduce((sum, encoding) => sum + addEncoding(encoding), 0);
    if (zeros !== 0) buckets.set(zeroBucket, zeros);
    for (let index = 0; index < sums.length; index += 1) {
      const count = sums[index] ?? 0;
      if (count !== 0) buckets.set(index + bucketMin, count);
    }
    return buckets;
  } finally {
    sums.fill(0);
  }
}

/** Adds the buckets of an encoding to the sums, and returns the count of zeros, which have no place there. */
function addEncoding({ buffer, byteOffset, byteLength }: Uint8Array): number {
  const view = new DataView(buffer, byteOffset, byteLength);
  let zeros = 0;
  for (let offset = 0; offset < byteLength;) {
    const first = view.getInt16(offset, true);
    const length = view.getUint16(offset + 2, true);
    const width = view.getUint16(offset + 4, true);
    offset += headerBytes;
    if (first === zeroBucket) zeros += countAt(view, offset, width);
    else addRun(view, offset, width, first - bucketMin, length);
    offset += length * width;
  }
  return zeros;
}

/** A loop for the usual width, which is decided once and not for each count. */
function addRun(view: DataView, offset: number, width: number, start: number, length: number): void {
  if (width === 2) {
    for (let index = 0; index < length; index += 1) {
      sums[start + index] = (sums[start + index] ?? 0) + view.getUint16(offset + 2 * index, true);
    }
  } else {
    for (let index = 0; index < length; index += 1) {
      sums[start + index] = (sums[start + index] ?? 0) + countAt(view, offset + width * index, width);
    }
  }
}

function countAt(view: DataView, offset: number, width: number): number {
  if (width === 2) return view.getUint16(offset, true);
  return width === 4 ? view.getFloat32(offset, true) : view.getFloat64(offset, true);
}

/** One encoding of the sum of several. */
export function mergeEncodedBuckets(encodings: readonly Uint8Array[]): Uint8Array {
  return encodeBuckets(decodeBuckets(encodings));
}
