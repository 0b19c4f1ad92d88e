import type { Clock } from "#platform/clock.ts";

import type { Message } from "../message.ts";

/**
 * Messages that were delivered a moment ago. Their rows are gone, but a publisher that looks at once for what it has just
 * published finds it, as at QStash, where a delivery takes longer than here.
 */
export interface RecentDeliveries {
  add(message: Message): void;
  get(messageId: string): Message | undefined;
}

const keptMs = 10_000;
const countMax = 1000;
const bytesMax = 16 * 1024 * 1024;

/** Keeps delivered messages readable for a few seconds, in memory only. */
export function createRecentDeliveries(clock: Clock): RecentDeliveries {
  // In the order of their delivery.
  const kept = new Map<string, { message: Message; atMs: number }>();
  let bytes = 0;

  const dropOld = () => {
    for (const [messageId, { message, atMs }] of kept) {
      if (kept.size <= countMax && bytes <= bytesMax && clock.nowMs() - atMs <= keptMs) return;
      kept.delete(messageId);
      bytes -= message.body.byteLength;
    }
  };
  return {
    add(message) {
      kept.set(message.messageId, { message, atMs: clock.nowMs() });
      bytes += message.body.byteLength;
      dropOld();
    },
    get(messageId) {
      dropOld();
      return kept.get(messageId)?.message;
    },
  };
}
