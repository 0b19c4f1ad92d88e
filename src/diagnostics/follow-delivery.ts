import { type Clock, sleep } from "#platform/clock.ts";
import { parseJsonObject } from "#platform/parse-json.ts";

import type { HttpAnswer } from "./deployment-protection.ts";
import { isSuccess, type QstashApi } from "#platform/qstash-api.ts";

/** The first attempt to deliver a message, as QStash's log shows it. */
export type Delivery =
  | { state: "delivered" }
  /** `answer`: what the address of the relay answered, null if there was no answer; `error`: QStash's words. */
  | { state: "failed"; answer: HttpAnswer | null; error: string }
  /** The log did not show it in time. */
  | { state: "unknown" };

const pollsMs = [50, 100, 200, 400, 800];

/**
 * Waits at most `limitMs` for the end of a first attempt in QStash's log. The messages have the same destination, so one
 * attempt is enough. Never rejects. https://upstash.com/docs/qstash/api/events/list
 */
export async function followDelivery(
  messageIds: readonly string[],
  { api, clock, limitMs }: { api: QstashApi; clock: Clock; limitMs: number },
): Promise<Delivery> {
  const deadline = clock.monotonicMs() + limitMs;
  // The path that the SDK uses. /v2/logs answers the same under another name.
  const query = new URLSearchParams(messageIds.map((messageId) => ["messageIds", messageId]));
  for (let poll = 0; ; poll += 1) {
    await sleep(clock, pollsMs[poll] ?? 1_000);
    const delivery = await api("GET", `/v2/events?${query.toString()}`).then(
      ({ status, text }) => (isSuccess(status) ? readDelivery(text) : undefined),
      () => undefined,
    );
    if (delivery !== undefined) return delivery;
    if (clock.monotonicMs() + 1_000 >= deadline) return { state: "unknown" };
  }
}

/**
 * Cancels the messages that wait for a retry: a message that is cancelled before its last retry becomes no dead letter. A
 * message that was delivered no longer exists. Never rejects.
 */
export async function cancelMessages(messageIds: readonly string[], api: QstashApi): Promise<void> {
  await Promise.allSettled(messageIds.map((messageId) => api("DELETE", `/v2/messages/${messageId}`)));
}

interface LogEntry {
  state?: unknown;
  error?: unknown;
  responseStatus?: unknown;
  responseHeaders?: unknown;
  responseHeader?: unknown;
  responseBody?: unknown;
}

function readDelivery(text: string): Delivery | undefined {
  const { events, logs } = parseJsonObject(text);
  const entries: LogEntry[] = Array.isArray(events) ? events : Array.isArray(logs) ? logs : [];
  if (entries.some(({ state }) => state === "DELIVERED")) return { state: "delivered" };
  const failure = entries.find(({ state }) => state === "ERROR" || state === "FAILED");
  if (failure === undefined) return undefined;
  const { error, responseStatus, responseHeaders, responseHeader, responseBody } = failure;
  const answer =
    typeof responseStatus === "number" && responseStatus > 0
      ? {
          status: responseStatus,
          headers: readHeaders(responseHeaders ?? responseHeader),
          text: typeof responseBody === "string" ? Buffer.from(responseBody, "base64").toString() : "",
        }
      : null;
  return { state: "failed", answer, error: typeof error === "string" ? error : "" };
}

/** Header values are lists, as in Go. */
function readHeaders(headers: unknown): Map<string, string> {
  const entries = Object.entries(typeof headers === "object" && headers !== null ? headers : {});
  return new Map(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}
