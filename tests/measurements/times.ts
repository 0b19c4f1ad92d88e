import * as fc from "fast-check";

import { addTime, createHistogram, type Histogram } from "#measurements/histogram.ts";

/** Times from a microsecond to a day, as many of each order of magnitude. */
export const time = fc
  .double({ min: Math.log(1e-3), max: Math.log(86_400_000), noNaN: true })
  .map((log) => Math.exp(log));

export function histogramOf(times: readonly number[]): Histogram {
  const histogram = createHistogram();
  for (const ms of times) addTime(histogram, ms);
  return histogram;
}
