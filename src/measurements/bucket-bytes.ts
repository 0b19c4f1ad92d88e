/**
 * The buckets of a histogram in bytes, as figures are stored: reading a month of them is then a matter of milliseconds,
 * whatever they hold. Runs of buckets, each with the lowest one's number (int16), how many counts follow (uint16), and 4 or
 * 8 for the bytes of each count (uint16), which is a floating-point number. Little-endian. Several encodings in a row are
 * one, too.
 */

const headerBytes = 6;
/** A gap of more empty buckets than this is left out, so that an outlier costs little. */
const gapMax = 8;

/** Encodes the buckets that hold anything. */
export function encodeBuckets(buckets: ReadonlyMap<number, number>): Uint8Array {
  const filled = [...buckets].filter(([, count]) => count !== 0).toSorted(([a], [b]) => a - b);
  const runs: [number, number][][] = [];
  for (const entry of filled) {
    const run = runs.at(-1);
    const last = run?.at(-1)?.[0];
    if (run !== undefined && last !== undefined && entry[0] - last <= gapMax) run.push(entry);
    else runs.push([entry]);
  }
  const lengths = runs.map((run) => (run.at(-1)?.[0] ?? 0) - (run[0]?.[0] ?? 0) + 1);
  // Nearly all counts are whole and small, so that four bytes hold them exactly.
  const widths = runs.map((run) => (run.every(([, count]) => Math.fround(count) === count) ? 4 : 8));
  const size = runs.reduce((sum, _run, index) => sum + headerBytes + (lengths[index] ?? 0) * (widths[index] ?? 0), 0);
  const view = new DataView(new ArrayBuffer(size));
  let offset = 0;
  for (const [index, run] of runs.entries()) {
    const [length = 0, width = 8, first = 0] = [lengths[index], widths[index], run[0]?.[0]];
    view.setInt16(offset, first, true);
    view.setUint16(offset + 2, length, true);
    view.setUint16(offset + 4, width, true);
    offset += headerBytes;
    for (const [bucket, count] of run) {
      const at = offset + (bucket - first) * width;
      if (width === 4) view.setFloat32(at, count, true);
      else view.setFloat64(at, count, true);
    }
    offset += length * width;
  }
  return new Uint8Array(view.buffer);
}

/** Adds encoded buckets to others. */
export function addEncodedBuckets(buckets: Map<number, number>, encoded: Uint8Array): void {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  for (let offset = 0; offset < view.byteLength;) {
    const [first, length, width] = [
      view.getInt16(offset, true),
      view.getUint16(offset + 2, true),
      view.getUint16(offset + 4, true),
    ];
    offset += headerBytes;
    for (let index = 0; index < length; index += 1, offset += width) {
      const count = width === 4 ? view.getFloat32(offset, true) : view.getFloat64(offset, true);
      if (count !== 0) buckets.set(first + index, (buckets.get(first + index) ?? 0) + count);
    }
  }
}

/** The buckets of one or more encodings in a row. */
export function decodeBuckets(encoded: Uint8Array): Map<number, number> {
  const buckets = new Map<number, number>();
  addEncodedBuckets(buckets, encoded);
  return buckets;
}

/** One encoding of the sum of several in a row. */
export function mergeEncodedBuckets(inARow: readonly Uint8Array[]): Uint8Array {
  const buckets = new Map<number, number>();
  for (const encoded of inARow) addEncodedBuckets(buckets, encoded);
  return encodeBuckets(buckets);
}
