import { formatIn } from "../format.ts";
import type { EventHandling } from "./read-event-handling.ts";

/** How far the handling of an event is, and when it goes on: `retry 3 of 8, next in 4 min`. */
export function describeHandling(
  { state, attempt, of, nextAttemptAt }: Omit<EventHandling, "eventId" | "kind" | "calls">,
  nowMs: number,
): string {
  const next = nextAttemptAt === null ? "" : `, next ${formatIn(nextAttemptAt, nowMs)}`;
  switch (state) {
    case "handled":
      return attempt > 1 ? `handled at attempt ${attempt}` : "handled";
    case "retrying":
      return `retry ${attempt} of ${of - 1}${next}`;
    case "dead":
      return `dead after ${attempt} ${attempt === 1 ? "attempt" : "attempts"}`;
    case "erased":
      return "erased";
    case "open":
      return attempt === 0
        ? `waits for its first attempt${next}`
        : "its first attempt is under way, or ended without a result";
  }
}
