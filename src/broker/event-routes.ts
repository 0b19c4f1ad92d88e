import { type Api, type ApiContext, readQuery } from "./api-request.ts";
import type { EventStore, MessageEvent } from "./event-store.ts";

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
  return {
    time: event.atMs,
    messageId: event.messageId,
    state: event.state,
    url: event.url,
    method: event.method,
    maxRetries: event.maxRetries,
    label: event.labels[0],
    labels: event.labels.length > 0 ? event.labels : undefined,
    error: event.error ?? undefined,
    nextDeliveryTime: event.nextDeliveryAtMs ?? undefined,
    responseStatus: event.responseStatus ?? undefined,
    responseHeaders: event.responseHeader ?? undefined,
    responseBody: event.responseBody ? Buffer.from(event.responseBody).toString("base64") : undefined,
  };
}
