import { Client, QstashError } from "@upstash/qstash";

import { TimeoutError } from "#platform/bounded-fetch.ts";
import { type Clock, settleWithin } from "#platform/clock.ts";
import { parseJsonObject } from "#platform/parse-json.ts";
import { protectionBypass, protectionBypassHeader } from "#platform/protection-bypass.ts";

import { roundMs } from "./check.ts";
import { explainNoAnswer, explainRefusal, type Refusal, type RefusalContext } from "./explain-refusal.ts";
import { isSuccess, type QstashApi } from "#platform/qstash-api.ts";

/** A QStash message that only asks the relay for its health. */
export interface DiagnosticMessage {
  /** A URL that answers `GET` and changes nothing. */
  destination: string;
  /** As many as real messages have, so that the limit of the plan is tested too; at least one. */
  retries: number;
  /** Lets QStash pass Deployment Protection; null without it. */
  bypassSecret: string | null;
}

/** The result of one publish. */
export interface PublishResult {
  ok: boolean;
  /** Null if it was not tried. */
  durationMs: number | null;
  /** Of the answer; the SDK reports it only for a refusal. */
  status: number | null;
  messageId: string | null;
  error: Refusal | null;
}

/** How long QStash waits for the answer of the relay. */
const deliveryTimeoutS = 5;
const label = "diagnostic";

/** Publishes with one plain HTTP request, like the relay's own publisher. Never rejects. */
export async function publishByHttp(
  message: DiagnosticMessage,
  { api, clock, ...context }: { api: QstashApi; clock: Clock } & RefusalContext,
): Promise<PublishResult> {
  const publish = () =>
    api("POST", `/v2/publish/${message.destination}`, {
      "upstash-method": "GET",
      "upstash-retries": String(message.retries),
      "upstash-timeout": `${deliveryTimeoutS}s`,
      "upstash-label": label,
      ...(message.bypassSecret === null ? {} : { [`upstash-forward-${protectionBypassHeader}`]: message.bypassSecret }),
    });
  return measure(clock, async () => {
    const { status, text } = await publish();
    const messageId = isSuccess(status) ? readMessageId(text) : null;
    return messageId === null ? { status, error: explainRefusal(status, text, context) } : { status, messageId };
  });
}

/** The context of a publish by the SDK. */
export interface SdkOptions extends RefusalContext {
  url: string;
  token: string;
  timeoutMs: number;
  clock: Clock;
}

/**
 * Publishes with the SDK, for at most `timeoutMs`. Never rejects. The SDK's `publish` has no time limit and cannot be
 * aborted: if QStash accepts the message later, it is delivered once and does nothing.
 */
export async function publishBySdk(
  message: DiagnosticMessage,
  { url, token, timeoutMs, clock, ...context }: SdkOptions,
): Promise<PublishResult> {
  // devMode: QSTASH_DEV must not send the message to a development server. No telemetry: this is only a test.
  const client = new Client({ baseUrl: url, token, devMode: false, retry: false, enableTelemetry: false });
  return measure(clock, async () => {
    const publishing = client.publish({
      url: message.destination,
      method: "GET",
      retries: message.retries,
      timeout: deliveryTimeoutS,
      label,
      headers: protectionBypass(message.bypassSecret),
    });
    try {
      const published = await settleWithin(clock, timeoutMs, publishing);
      if (published === undefined) throw new TimeoutError();
      const messageId = readMessageId(JSON.stringify(published));
      return messageId === null ? { error: explainRefusal(200, "", context) } : { messageId };
    } catch (error) {
      if (!(error instanceof QstashError) || error.status === undefined) throw error;
      return { status: error.status, error: explainRefusal(error.status, error.message, context) };
    }
  });
}

async function measure(clock: Clock, publish: () => Promise<Partial<PublishResult>>): Promise<PublishResult> {
  const startedAt = clock.monotonicMs();
  const outcome = await publish().catch((error: unknown) => ({ error: explainNoAnswer(error) }));
  const durationMs = roundMs(clock.monotonicMs() - startedAt);
  return { ok: !outcome.error, durationMs, status: null, messageId: null, error: null, ...outcome };
}

function readMessageId(text: string): string | null {
  const { messageId } = parseJsonObject(text);
  return typeof messageId === "string" && /^[\w-]{1,200}$/.test(messageId) ? messageId : null;
}
