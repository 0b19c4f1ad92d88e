import { type DeadLetter, dlqIdOf, type FlowControlSettings, type Message } from "../message.ts";
import { redactBody, redactHeader } from "./redaction.ts";

/** A message as `GET /v2/messages/{id}` shows it. What is `undefined` is left out of the JSON. */
export function toMessageJson(message: Message): Record<string, unknown> {
  const { flowControl, redact } = message;
  return {
    messageId: message.messageId,
    url: message.url,
    topicName: message.topicName ?? undefined,
    endpointName: message.endpointName ?? undefined,
    method: message.method,
    header: redactHeader(message.header, redact),
    ...toBodyJson("body", redactBody(message.body, redact)),
    maxRetries: message.maxRetries,
    retryDelayExpression: message.retryDelay ?? undefined,
    timeout: message.timeoutMs ?? undefined,
    notBefore: message.notBeforeMs,
    createdAt: message.createdAtMs,
    ...toCallbackJson(message, redact),
    queueName: message.queueName ?? undefined,
    scheduleId: message.scheduleId ?? undefined,
    callerIP: message.callerIp,
    ...toLabelJson(message.labels),
    ...toFlowControlJson(flowControl),
  };
}

/** The fields of a message, schedule or log entry that say where its callbacks go. */
export function toCallbackJson(
  { callback, failureCallback }: Pick<Message, "callback" | "failureCallback">,
  redact: readonly string[],
): Record<string, unknown> {
  return {
    callback: callback?.url,
    callbackHeader: callback ? redactHeader(callback.header, redact) : undefined,
    failureCallback: failureCallback?.url,
    failureCallbackHeader: failureCallback ? redactHeader(failureCallback.header, redact) : undefined,
  };
}

/** Labels as QStash's JSON has them: `label` holds the first, `labels` all if there are any. */
export function toLabelJson(labels: readonly string[]): Record<string, unknown> {
  return { label: labels[0], labels: labels.length > 0 ? labels : undefined };
}

/** The period is there whenever a key is, as QStash's is. */
export function toFlowControlJson(flowControl: FlowControlSettings | null): Record<string, unknown> {
  return {
    flowControlKey: flowControl?.key,
    parallelism: flowControl?.parallelism ?? undefined,
    rate: flowControl?.rate ?? undefined,
    period: flowControl?.periodSeconds,
  };
}

/** A dead letter as `GET /v2/dlq` shows it. */
export function toDeadLetterJson(letter: DeadLetter): Record<string, unknown> {
  return {
    ...toMessageJson(letter),
    dlqId: dlqIdOf(letter.failedAtMs, letter),
    // 0 without a response, as in callbacks; Upstash's Python SDK does without no status.
    responseStatus: letter.responseStatus ?? 0,
    responseHeader: letter.responseHeader ?? undefined,
    error: letter.error ?? undefined,
    ...toBodyJson("responseBody", letter.responseBody ?? new Uint8Array()),
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `body` where the bytes are text, `bodyBase64` where they are not, nothing where there are none. */
export function toBodyJson(name: string, body: Uint8Array): Record<string, string> {
  if (body.byteLength === 0) return {};
  try {
    return { [name]: utf8.decode(body) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(body).toString("base64") };
  }
}
