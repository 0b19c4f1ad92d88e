/**
 * The buckets of a histogram in bytes, as figures are stored: reading a month of them is then a matter of milliseconds,
 * whatever they hold. Runs of buckets, each with the lowest one's number (int16), how many counts follow (uint16), and 2, 4
 * or 8 for the bytes of each (uint16): a whole number, or a floating-point number. Little-endian. Several encodings in a row
 * are one, too.
 */

import { RelayError } from "#platform/errors.ts";

import { bucketMax, bucketMin, zeroBucket } from "./histogram.ts";

const headerBytes = 6;
/** A gap of more empty buckets than this is left out, so that an outlier costs little. */
const gapMax = 8;

/** A bucket with its count. */
type Entry = readonly [bucket: number, count: number];

/** Encodes the buckets that hold anything, each of them given once. */
export function encodeBuckets(buckets: Iterable<Entry>): Uint8Array {
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
  entries: Entry[];
  first: number;
  length: number;
  width: 2 | 4 | 8;
}

function runsOf(buckets: Iterable<Entry>): Run[] {
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

/** Counts of neighbouring buckets. What is read of a histogram is this: most of a read's time would go into a map. */
export interface BucketCounts {
  /** Of `zeroBucket`. */
  zeros: number;
  /** The bucket of the first count. */
  first: number;
  counts: Float64Array;
}

/** The buckets that hold anything, the lowest first. */
export function* entriesOf({ zeros, first, counts }: BucketCounts): Generator<Entry> {
  if (zeros !== 0) yield [zeroBucket, zeros];
  for (const [index, count] of counts.entries()) if (count !== 0) yield [first + index, count];
}

/** Sums while buckets are decoded; all zero in between, so that no read pays for the many that are empty. */
const sums = new Float64Array(bucketMax - bucketMin + 1);

/** What the sums hold: zeros, which have no place there, and the places from `start` to before `end`. */
interface Filled {
  zeros: number;
  start: number;
  end: number;
}

/**
 * The sum of any number of encodings, each of which may be several in a row, and of buckets that are not encoded. Buckets
 * that no time has are left out. Throws `INTERNAL` for bytes that are no encoding.
 */
export function decodeBuckets(
  encodings: readonly Uint8Array[],
  others: readonly ReadonlyMap<number, number>[] = [],
): BucketCounts {
  const filled: Filled = { zeros: 0, start: sums.length, end: 0 };
  if (!encodings.every(isEncoding)) throw new RelayError("INTERNAL", "A histogram in relay.figures is damaged");
  for (const encoding of encodings) addEncoding(encoding, filled);
  for (const other of others) for (const [bucket, count] of other) addCount(bucket, count, filled);
  const { zeros, start, end } = filled;
  const counts = sums.slice(start, end);
  sums.fill(0, start, end);
  return { zeros, first: start + bucketMin, counts };
}

function addCount(bucket: number, count: number, filled: Filled): void {
  if (bucket === zeroBucket) {
    filled.zeros += count;
    return;
  }
  const place = placeOf(bucket, 1, filled);
  sums[place] = (sums[place] ?? 0) + count;
}

function addEncoding(encoding: Uint8Array, filled: Filled): void {
  const view = viewOf(encoding);
  const { byteLength } = encoding;
  for (let offset = 0; offset < byteLength;) {
    const first = view.getInt16(offset, true);
    const length = view.getUint16(offset + 2, true);
    const width = view.getUint16(offset + 4, true);
    offset += headerBytes;
    if (first === zeroBucket) filled.zeros += countAt(view, offset, width);
    else addRun(view, offset, width, placeOf(first, length, filled), length);
    offset += length * width;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Whether bytes are one encoding, or several in a row. */
export function isEncoding(bytes: Uint8Array): boolean {
  const view = viewOf(bytes);
  let offset = 0;
  while (offset + headerBytes <= bytes.byteLength) {
    const width = view.getUint16(offset + 4, true);
    if (width !== 2 && width !== 4 && width !== 8) return false;
    offset += headerBytes + view.getUint16(offset + 2, true) * width;
  }
  return offset === bytes.byteLength;
}

/** The place of a run of buckets in the sums, which it fills. */
function placeOf(first: number, length: number, filled: Filled): number {
  const start = first - bucketMin;
  if (start < filled.start) filled.start = Math.max(start, 0);
  if (start + length > filled.end) filled.end = Math.min(start + length, sums.length);
  return start;
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
  return encodeBuckets(entriesOf(decodeBuckets(encodings)));
}
