import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import type { Limits } from "../limits.ts";

/** What the plan allows in a time. Both throw 429 with QStash's headers when it is used up. */
export interface Quotas {
  /** Messages a day. */
  countMessages(count: number): void;
  /** Requests a second, of those that manage things. */
  countRequest(): void;
}

/** Counts against the plan's limits, by the clock's days and seconds. Nothing is counted where a limit is null. */
export function createQuotas({ messagesPerDay, requestsPerSecond }: Limits, clock: Clock): Quotas {
  return {
    countMessages: createQuota(messagesPerDay, 86_400_000, "RateLimit", clock),
    countRequest: createQuota(requestsPerSecond, 1000, "Burst-RateLimit", clock),
  };
}

function createQuota(limit: number | null, periodMs: number, prefix: string, clock: Clock): (count?: number) => void {
  if (limit === null) return () => {};
  let period = -1;
  let used = 0;
  return (count = 1) => {
    const running = Math.floor(clock.nowMs() / periodMs);
    if (running !== period) [period, used] = [running, 0];
    if (used + count > limit) {
      throw new ApiError(429, `Exceeded ${prefix === "RateLimit" ? "daily" : "burst"} rate limit`, {
        [`${prefix}-Limit`]: String(limit),
        [`${prefix}-Remaining`]: String(Math.max(0, limit - used)),
        [`${prefix}-Reset`]: String(Math.ceil(((running + 1) * periodMs) / 1000)),
      });
    }
    used += count;
  };
}
