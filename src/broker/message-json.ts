import { type DeadLetter, dlqIdOf, type Message } from "./message.ts";

/** A message as `GET /v2/messages/{id}` shows it. What is `undefined` is left out of the JSON. */
export function toMessageJson(message: Message): Record<string, unknown> {
  return {
    messageId: message.messageId,
    url: message.url,
    method: message.method,
    header: message.header,
    ...toBodyJson("body", message.body),
    maxRetries: message.maxRetries,
    timeout: message.timeoutMs ?? undefined,
    notBefore: message.notBeforeMs,
    createdAt: message.createdAtMs,
    callback: message.callback?.url,
    callbackHeader: message.callback?.header,
    failureCallback: message.failureCallback?.url,
    failureCallbackHeader: message.failureCallback?.header,
    callerIP: message.callerIp,
    label: message.labels[0],
    labels: message.labels.length > 0 ? message.labels : undefined,
  };
}

/** A dead letter as `GET /v2/dlq` shows it. */
export function toDeadLetterJson(letter: DeadLetter): Record<string, unknown> {
  return {
    ...toMessageJson(letter),
    dlqId: dlqIdOf(letter.failedAtMs, letter),
    responseStatus: letter.responseStatus ?? undefined,
    responseHeader: letter.responseHeader ?? undefined,
    ...toBodyJson("responseBody", letter.responseBody ?? new Uint8Array()),
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `body` where the bytes are text, `bodyBase64` where they are not, nothing where there are none. */
function toBodyJson(name: string, body: Uint8Array): Record<string, string> {
  if (body.byteLength === 0) return {};
  try {
    return { [name]: utf8.decode(body) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(body).toString("base64") };
  }
}
