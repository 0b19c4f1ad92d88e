import type { StoredItem } from "#store/ingest/stored-item.ts";

/** The field of a change that brings an event of this kind; other kinds are items of conversations. */
const fieldOf: Readonly<Record<string, string>> = {
  comment: "comments",
  live_comment: "live_comments",
  mention: "mentions",
  story_insights: "story_insights",
};

/** A delivery's body before it is written as JSON. */
export interface DeliveryBody {
  object: "instagram";
  entry: Record<string, unknown>[];
}

/** Stored events as Meta would send them, one entry for each. */
export function deliveryBody(events: readonly StoredItem[]): DeliveryBody {
  return { object: "instagram", entry: events.map(toEntry) };
}

/** The bytes of a body that was not JSON, in base64, which one unknown event holds; null for any other event. */
export function rawBodyOf({ data }: StoredItem): string | null {
  const raw = (data as { bodyBase64?: unknown } | null)?.bodyBase64;
  return typeof raw === "string" ? raw : null;
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
