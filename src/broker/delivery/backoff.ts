import { parseDurationMs } from "../duration.ts";
import type { HeaderMap, Message } from "../message.ts";
import { parseRetryDelay } from "./retry-delay.ts";

const dayMs = 86_400_000;

/** The headers with which a receiver names the time of the next attempt, the most specific first. */
const resetHeaders = ["Retry-After", "X-Ratelimit-Reset", "X-Ratelimit-Reset-Requests", "X-Ratelimit-Reset-Tokens"];

/**
 * Milliseconds before retry number `retry` (1 is the first): e^(2.5·n) seconds, at most a day, in whole seconds as
 * QStash's page on retries prints them: 12 s, 2 m 28 s, 30 m 8 s, 6 h 7 m 6 s, 24 h.
 */
export function backoffMs(retry: number): number {
  return Math.min(dayMs, Math.floor(Math.exp(2.5 * retry)) * 1000);
}

export interface RetryDelayInput {
  message: Pick<Message, "retried" | "retryDelay">;
  /** Of the response to the last attempt. */
  header: HeaderMap;
  nowMs: number;
  delayMsMax: number;
}

/**
 * The delay before the next retry: what the receiver asked for, if that is within a day, else what the publisher's
 * expression yields, else the back-off.
 */
export function retryDelayMs({ message, header, nowMs, delayMsMax }: RetryDelayInput): number {
  for (const name of resetHeaders) {
    const value = header[name]?.[0];
    const askedMs = value === undefined ? undefined : parseRetryAfterMs(value, nowMs);
    if (askedMs !== undefined && askedMs <= dayMs) return askedMs;
  }
  const expression = message.retryDelay ? parseRetryDelay(message.retryDelay) : undefined;
  const wantedMs = Math.round(expression?.(message.retried) ?? Number.NaN);
  if (Number.isNaN(wantedMs)) return backoffMs(message.retried + 1);
  return Math.min(delayMsMax, Math.max(0, wantedMs));
}

/** Seconds, an HTTP date (RFC 9110, 10.2.3) or a Go duration, as milliseconds from now; a date gone by is 0. */
export function parseRetryAfterMs(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  // Only texts that begin like a date: Date.parse also takes "-1" and "2" for one.
  if (/^[A-Z][a-z]{2,8},? /.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
  }
  const durationMs = parseDurationMs(text);
  return durationMs === undefined ? undefined : Math.ceil(durationMs);
}
