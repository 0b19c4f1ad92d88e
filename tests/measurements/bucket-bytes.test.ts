import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decodeBuckets, encodeBuckets, entriesOf, mergeEncodedBuckets } from "#measurements/bucket-bytes.ts";
import { splitFrames } from "#measurements/framed-encodings.ts";
import { zeroBucket } from "#measurements/histogram.ts";

const buckets = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: -638, max: 524 }), fc.constant(zeroBucket)),
      fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(1 / 3, 2 ** 24 + 1, 2 ** 52)),
    ),
    { maxLength: 60 },
  )
  .map((entries) => new Map(entries));

const sorted = (map: ReadonlyMap<number, number>) => [...map].toSorted(([a], [b]) => a - b);

test("buckets come back exactly", () => {
  fc.assert(
    fc.property(buckets, (map) => {
      expect([...entriesOf(decodeBuckets([encodeBuckets(map)]))]).toEqual(sorted(map));
      expect([...entriesOf(decodeBuckets([], [map]))]).toEqual(sorted(map));
    }),
  );
});

test("encodings in a row are the sum, and so is their merger", () => {
  fc.assert(
    fc.property(buckets, buckets, (a, b) => {
      const sum = new Map(a);
      for (const [bucket, count] of b) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
      const [first, second] = [encodeBuckets(a), encodeBuckets(b)];
      const inARow = new Uint8Array([...first, ...second]);
      for (const decoded of [
        decodeBuckets([inARow]),
        decodeBuckets([first, second]),
        decodeBuckets([first], [b]),
        decodeBuckets([mergeEncodedBuckets([first, second])]),
      ]) {
        expect([...entriesOf(decoded)]).toEqual(sorted(sum));
      }
    }),
  );
});

test("a bucket in use costs two bytes, and an outlier eight", () => {
  const near = new Map(Array.from({ length: 50 }, (_, index) => [index, 1]));
  expect(encodeBuckets(near)).toHaveLength(6 + 100);
  expect(encodeBuckets(new Map([...near, [400, 1]]))).toHaveLength(6 + 100 + 8);
  expect(encodeBuckets(new Map())).toHaveLength(0);
});

test("of encodings in frames each damaged one is named, and the others are intact", () => {
  const frame = (encoding: Uint8Array, seriesId: number) => {
    const head = new DataView(new ArrayBuffer(12));
    head.setInt32(0, encoding.length);
    head.setInt32(4, seriesId);
    head.setInt32(8, 7);
    return [...new Uint8Array(head.buffer), ...encoding];
  };
  fc.assert(
    fc.property(
      buckets.filter(({ size }) => size > 0),
      fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3 })), { maxLength: 5 }),
      (map, kept) => {
        const encoding = encodeBuckets(map);
        const framed = kept.flatMap(([isWhole, cut], index) =>
          frame(isWhole ? encoding : encoding.slice(0, -1 - cut), index + 1),
        );
        const { intact, damaged } = splitFrames(new Uint8Array(framed));
        // A run may end where another one did.
        expect(intact.length + damaged.length).toBe(kept.length);
        expect(intact.filter((one) => one.length === encoding.length)).toEqual(
          kept.filter(([isWhole]) => isWhole).map(() => encoding),
        );
        for (const { seriesId, atMs } of damaged) expect([kept[seriesId - 1]?.[0], atMs]).toEqual([false, 420_000]);
      },
    ),
  );
  expect(splitFrames(null)).toEqual({ intact: [], damaged: [] });
});

test("what no time has is left out beside the rest, damaged bytes are an error, and neither stays in the next sum", () => {
  const good: [number, number][] = [
    [-600, 7],
    [zeroBucket, 2],
  ];
  for (const odd of [-639, -32_767, 525, 32_767]) {
    expect([...entriesOf(decodeBuckets([encodeBuckets([[odd, 5]]), encodeBuckets(good)]))]).toEqual(
      sorted(new Map(good)),
    );
  }
  for (const length of [1, 5, 6, 7]) {
    expect(() => decodeBuckets([encodeBuckets(good), encodeBuckets([[1, 1]]).slice(0, length)])).toThrow("damaged");
  }
  expect([...entriesOf(decodeBuckets([encodeBuckets([[1, 1]])]))]).toEqual([[1, 1]]);
});
