/**
 * How many more deliveries may begin: afterwards, those under way take at most this portion of the slots that are then
 * free. The first one may always begin if a slot is free.
 */
export function share(underWay: number, free: number, portion: number): number {
  if (free < 1) return 0;
  const more = Math.floor((portion * free - underWay) / (1 + portion));
  return Math.max(underWay === 0 ? 1 : 0, more);
}
