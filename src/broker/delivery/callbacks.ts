import type { Attempt, Verdict } from "../store/settlement.ts";
import { dlqIdOf, type DeliverySettings, type Message } from "../message.ts";
import type { NewMessage } from "../store/message-rows.ts";
import { publishDefaults } from "../api/publish-request.ts";

export interface CallbackInput {
  message: Message;
  attempt: Attempt;
  verdict: Verdict;
  atMs: number;
  newId: () => string;
}

/** The messages an attempt gives rise to: the callback after each, the failure callback after the last that failed. */
export function createCallbacks(input: CallbackInput): NewMessage[] {
  const { message, verdict, atMs } = input;
  const callbacks: NewMessage[] = [];
  if (message.callback) callbacks.push(toMessage(message.callback, describeAttempt(input), input));
  if (message.failureCallback && verdict.state === "dead") {
    const description = { ...describeAttempt(input), dlqId: dlqIdOf(atMs, message) };
    callbacks.push(toMessage(message.failureCallback, description, input));
  }
  return callbacks;
}

/** The body of a callback as QStash's page on callbacks lists it. Both bodies are base64, so that any bytes fit. */
function describeAttempt({ message, attempt }: CallbackInput): Record<string, unknown> {
  return {
    status: attempt.response?.status ?? 0,
    header: attempt.response?.header ?? {},
    body: toBase64(attempt.response?.body),
    retried: message.retried,
    maxRetries: message.maxRetries,
    sourceMessageId: message.messageId,
    topicName: message.topicName ?? "",
    endpointName: message.endpointName ?? "",
    url: message.url,
    method: message.method,
    sourceHeader: message.header,
    sourceBody: toBase64(message.body),
    notBefore: message.notBeforeMs,
    createdAt: message.createdAtMs,
    scheduleId: message.scheduleId ?? "",
    callerIP: message.callerIp,
  };
}

/**
 * A callback is a message like any other, with retries and an end in the dead letters, but without callbacks of its own.
 * In a queue it takes the turn of its message: the next one waits for it, too.
 */
function toMessage(
  settings: DeliverySettings,
  description: unknown,
  { message, atMs, newId }: CallbackInput,
): NewMessage {
  return {
    ...publishDefaults(message.callerIp, { queueName: message.queueName }),
    ...settings,
    messageId: `msg_${newId()}`,
    body: Buffer.from(JSON.stringify(description)),
    notBeforeMs: atMs,
    createdAtMs: atMs,
    deduplicationId: null,
    line: message.queueName === null ? null : (message.line ?? message.sequence),
  };
}

function toBase64(bytes: Uint8Array | undefined): string {
  return bytes ? Buffer.from(bytes).toString("base64") : "";
}
