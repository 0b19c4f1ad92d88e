import { type Api, type ApiContext, readQuery } from "./api-request.ts";
import type { EventStore, MessageEvent } from "../store/event-store.ts";
import { toCallbackJson, toFlowControlJson, toLabelJson } from "./message-json.ts";
import { redactBody, redactHeader } from "./redaction.ts";

export interface EventRoutes {
  events: EventStore;
}

/** The log of what happened to messages. QStash documents `/v2/logs`, its SDK reads `/v2/events`: both answer both. */
export function registerEventRoutes(api: Api, { events }: EventRoutes): void {
  const list = async (context: ApiContext) => {
    const { items, cursor } = await events.list(readQuery(context));
    const entries = items.map(toEventJson);
    return context.json({ cursor, events: entries, logs: entries });
  };
  api.get("/v2/events", list);
  api.get("/v2/logs", list);
}

/** What is `undefined` is left out of the JSON. */
function toEventJson(event: MessageEvent): Record<string, unknown> {
  const redact = event.redact ?? [];
  const { callbackHeader, failureCallbackHeader, ...callbacks } = toCallbackJson(event, redact);
  return {
    time: event.atMs,
    messageId: event.messageId,
    state: event.state,
    url: event.url,
    topicName: event.topicName ?? undefined,
    endpointName: event.endpointName ?? undefined,
    scheduleId: event.scheduleId ?? undefined,
    queueName: event.queueName ?? undefined,
    ...toFlowControlJson(event.flowControl),
    method: event.method,
    header: event.header ? redactHeader(event.header, redact) : undefined,
    body: event.body ? toBase64(redactBody(event.body, redact)) : undefined,
    timeout: event.timeoutMs ?? undefined,
    ...callbacks,
    callbackHeaders: callbackHeader,
    failureCallbackHeaders: failureCallbackHeader,
    maxRetries: event.maxRetries,
    // For this and the response's header, Upstash's API reference and its Python SDK have two names.
    retryDelayExpression: event.retryDelay ?? undefined,
    retryDelayExpr: event.retryDelay ?? undefined,
    ...toLabelJson(event.labels),
    error: event.error ?? undefined,
    nextDeliveryTime: event.nextDeliveryAtMs ?? undefined,
    responseStatus: event.responseStatus ?? undefined,
    responseHeaders: event.responseHeader ?? undefined,
    responseHeader: event.responseHeader ?? undefined,
    responseBody: event.responseBody ? toBase64(event.responseBody) : undefined,
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
