const textMax = 200;
const itemsMax = 20;
const depthMax = 4;
const jsonMax = 4_000;

/**
 * What the audit keeps of a request's JSON: its `reason` or `note`, and the other members as the filter. Lists and texts are
 * cut, because an operator may name ten thousand events.
 */
export function auditDetails(body: unknown): { filter: unknown; reason: string | null } {
  if (typeof body !== "object" || body === null) return { filter: null, reason: null };
  const { reason, note, ...rest } = body as Record<string, unknown>;
  const given = [reason, note].find((text) => typeof text === "string");
  if (Object.keys(rest).length === 0) return { filter: null, reason: given ?? null };
  const filter = bound(rest, 0);
  const isLong = JSON.stringify(filter).length > jsonMax;
  return {
    filter: isLong ? { members: Object.keys(rest).slice(0, itemsMax).map(cut) } : filter,
    reason: given ?? null,
  };
}

function bound(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cut(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === depthMax) return "…";
  if (Array.isArray(value)) {
    const kept = value.slice(0, itemsMax).map((item) => bound(item, depth + 1));
    return value.length > itemsMax ? [...kept, `… ${value.length - itemsMax} more`] : kept;
  }
  const members = Object.entries(value).slice(0, itemsMax);
  return Object.fromEntries(members.map(([name, member]) => [cut(name), bound(member, depth + 1)]));
}

function cut(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text;
}
