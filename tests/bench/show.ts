import type { Spread } from "./measure.ts";

/** Three digits or so: more would say more than was measured. */
export function show(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function showSpread({ median, min, max }: Spread): string {
  return `${show(median)} (${show(min)} – ${show(max)})`;
}
