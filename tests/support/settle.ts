import type { HandlerFailure, HandlerResult, LeasedEvent } from "#store/handling/leased-event.ts";
import type { Settlement } from "#store/handling/settle-events.ts";

/** The error of a handler, as it is stored. */
export const testFailure: HandlerFailure = {
  name: "CrmError",
  code: "E_CRM",
  message: null,
  frames: ["at send (crm.js)", "at handle (handlers.js)"],
  fingerprint: "f1",
};

/** How leases ended, all in the same way. */
export function ended(
  events: readonly LeasedEvent[],
  outcome: HandlerResult["outcome"],
  more: Partial<HandlerResult> = {},
): HandlerResult[] {
  const failure = outcome === "failed" || outcome === "dead" ? { error: testFailure } : {};
  return events.map((event) => ({ event, atMs: 1_700_000_003_000, ms: 5, outcome, ...failure, ...more }));
}

export function settlement(results: HandlerResult[], counts: Record<string, number> = {}): Settlement {
  return { results, counts: new Map(Object.entries(counts)), deployment: "dpl_1", messageId: "msg_1" };
}
