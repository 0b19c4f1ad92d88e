const minuteMs = 60_000;

/** A duration for a sentence, in the two largest units: `2 d 3 h`, `1 h 5 min`, `12 min`, `40 s`. */
export function describeDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (ms < minuteMs) return `${seconds} s`;
  const minutes = Math.floor(ms / minuteMs);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return join([hours, "h"], [minutes % 60, "min"]);
  return join([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

function join(...parts: [number, string][]): string {
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(" ");
}
