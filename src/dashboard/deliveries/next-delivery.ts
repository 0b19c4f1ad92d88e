import * as v from "valibot";

import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { parseJson } from "#platform/parse-json.ts";

/**
 * When QStash delivers the first of these messages again, ISO 8601; undefined if it has none of them any more, or if that
 * is unknown. Never rejects.
 */
export type ReadNextDelivery = (messageIds: readonly string[]) => Promise<string | undefined>;

export interface NextDeliveryOptions extends Network {
  /** Throws if QStash is not configured. */
  readSettings: () => { url: string; token: string };
}

const timeoutMs = 2_000;
/** A page that refreshes itself must not use up the token's rate limit. */
const keptMs = 30_000;
const keptMax = 1_000;
/** A delivery with more messages than this has one that is soon enough. */
const messagesMax = 3;

const logEntry = v.object({ state: v.string(), nextDeliveryTime: v.optional(v.number()) });
const logPage = v.object({ events: v.array(logEntry) });

/** Asks QStash's log; each answer, also that there is none, is kept for 30 seconds. */
export function createNextDeliveryReader({ readSettings, ...network }: NextDeliveryOptions): ReadNextDelivery {
  const kept = new Map<string, { untilMs: number; nextMs: Promise<number | undefined> }>();
  const read = (messageId: string) => {
    const nowMs = network.clock.nowMs();
    const known = kept.get(messageId);
    if (known !== undefined && known.untilMs > nowMs) return known.nextMs;
    if (kept.size >= keptMax) kept.clear();
    const nextMs = askForNext(messageId).catch(() => undefined);
    kept.set(messageId, { untilMs: nowMs + keptMs, nextMs });
    return nextMs;
  };

  /** Rejects if QStash is not configured, cannot be reached in time or answers something else. */
  async function askForNext(messageId: string): Promise<number | undefined> {
    const { url, token } = readSettings();
    const address = `${url}/v2/events?messageId=${encodeURIComponent(messageId)}&count=10`;
    const init = { headers: { authorization: `Bearer ${token}` }, cache: "no-store" as const };
    const { text } = await fetchWithin(timeoutMs, address, init, network);
    // Newest first: an older entry's next delivery has taken place.
    const [newest] = v.parse(logPage, parseJson(text)).events;
    return newest?.state === "RETRY" || newest?.state === "ERROR" ? newest.nextDeliveryTime : undefined;
  }

  return async (messageIds) => {
    const times = await Promise.all(messageIds.slice(0, messagesMax).map(read));
    const soonest = Math.min(...times.filter((time) => time !== undefined));
    return Number.isFinite(soonest) ? new Date(soonest).toISOString() : undefined;
  };
}
