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

/** Why a delivery is not handled, by what is known of its events; undefined where no event tells. */
export function describeUnhandled(events: readonly EventHandling[], nowMs: number): string | undefined {
  const [first, ...others] = events.filter(({ state }) => state !== "handled" && state !== "erased");
  if (first === undefined) return undefined;
  if (others.length === 0) return `event ${first.eventId}: ${describeHandling(first, nowMs)}`;
  return [first, ...others].some(({ state }) => state === "dead") ? "not all: some of its events are dead" : undefined;
}
