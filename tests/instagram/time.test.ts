import { expect, test } from "vitest";

import { parseTime } from "#instagram/time.ts";

test.each([
  ["milliseconds", 1_700_000_000_500, 1_700_000_000_500],
  ["seconds", 1_700_000_000, 1_700_000_000_000],
  ["seconds in a string, as dashboard tests have them", "1527459824", 1_527_459_824_000],
  ["milliseconds in a string", "1527459824000", 1_527_459_824_000],
  ["ISO 8601 with a bare offset", "2021-09-08T06:34:04+0000", 1_631_082_844_000],
  ["a fraction", 1_700_000_000_500.4, 1_700_000_000_500],
  ["microseconds", 1_790_000_000_000_123, 1_790_000_000_000],
  ["microseconds in a string", "1790000000000999", 1_790_000_000_001],
  ["nanoseconds, which the lossless parser makes a string", "1790000000000000000", 1_790_000_000_000],
  ["fractions of a second", 1_700_000_000.25, 1_700_000_000_250],
  ["fractions of a second in a string", "1700000000.25", 1_700_000_000_250],
  ["the last millisecond that is not taken for microseconds", 1e14 - 1, 1e14 - 1],
  ["the last second", 1e11 - 1, 1e14 - 1_000],
  ["ISO 8601 in the year 9999", "9999-12-31T23:59:59-2300", null],
  ["picoseconds", "1790000000000000000000", null],
  ["digits without end", "9".repeat(400), null],
  ["infinity", Number.POSITIVE_INFINITY, null],
  ["a negative string", "-1700000000", null],
  ["true", true, null],
  ["zero", 0, null],
  ["a negative number", -5, null],
  ["more than a Date can hold", 1e20, null],
  ["a short number in words", "soon", null],
  ["an empty string", "", null],
  ["a day without a time", "2021-09-08", null],
  ["an ISO time that is none", "2021-99-99T99:99:99Z", null],
  ["null", null, null],
  ["an object", {}, null],
  ["NaN", Number.NaN, null],
])("parseTime() reads %s", (_name, value, expected) => {
  expect(parseTime(value)).toBe(expected);
});
