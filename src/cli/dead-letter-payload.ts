import { CliFailure } from "#platform/failure.ts";
import type { StoredItem } from "#store/dead-letter-groups.ts";

/** The field of a change that brings an event of this kind; other kinds are items of conversations. */
const fieldOf: Readonly<Record<string, string>> = {
  comment: "comments",
  live_comment: "live_comments",
  mention: "mentions",
  story_insights: "story_insights",
};

/**
 * The events of a dead letter as the body of one delivery from Meta, to be sent with `relay trigger`; their keys are the same
 * again. A body that was not JSON is returned as its bytes. Throws a `CliFailure` without events.
 */
export function toDeliveryBody(events: readonly StoredItem[]): Uint8Array {
  const [first] = events;
  if (first === undefined) throw new CliFailure("The dead letter holds no events that could be sent again.");
  const raw = (first.data as { bodyBase64?: unknown } | null)?.bodyBase64;
  if (events.length === 1 && typeof raw === "string") return Buffer.from(raw, "base64");
  return Buffer.from(JSON.stringify({ object: "instagram", entry: events.map(toEntry) }, null, 2));
}

function toEntry({ kind, accountId, sentAtMs, standby, data }: StoredItem): Record<string, unknown> {
  const entry = { id: accountId, ...(sentAtMs === null ? {} : { time: sentAtMs }) };
  const field = fieldOf[kind];
  if (field !== undefined) return { ...entry, changes: [{ field, value: data }] };
  if (kind === "unknown" && isChange(data)) return { ...entry, changes: [data] };
  return { ...entry, [standby ? "standby" : "messaging"]: [data] };
}

/** An unknown change was stored with its field's name. */
function isChange(data: unknown): boolean {
  return typeof data === "object" && data !== null && typeof (data as { field?: unknown }).field === "string";
}
