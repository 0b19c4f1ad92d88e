import type { GraphFailure } from "./graph-failure.ts";

/** Failures in a row after which a person should look. */
const strikesMax = 8;
const transientMs = 5_000;
const transientMsMax = 10 * 60_000;
const limitedMs = 60_000;
const limitedMsMax = 60 * 60_000;

/** What counts as a failure in a row; below zero are limits in a row, which never end a backfill. */
export function strikesAfter({ fault }: Pick<GraphFailure, "fault">, strikes: number): number {
  return fault === "limited" ? Math.max(Math.min(strikes, 0) - 1, -100) : Math.max(strikes, 0) + 1;
}

/**
 * How long to wait after a failure, in ms; null if waiting does not help. `strikes`: those before this one. A limit always passes: its wait is the one that Meta names, else a minute that doubles up to an hour.
 */
export function pauseAfter({ fault, waitMs }: Pick<GraphFailure, "fault" | "waitMs">, strikes: number): number | null {
  switch (fault) {
    case "limited":
      return waitMs > 0 ? waitMs : Math.min(limitedMsMax, limitedMs * 2 ** Math.max(-strikes, 0));
    case "transient":
    case "unreadable":
      return strikes + 1 >= strikesMax ? null : Math.min(transientMsMax, transientMs * 2 ** Math.max(strikes, 0));
    case "token":
    case "permission":
    case "refused":
      return null;
  }
}
