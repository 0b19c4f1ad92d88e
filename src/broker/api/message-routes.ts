import type { Clock } from "#platform/clock.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { type Api, readParameters } from "./api-request.ts";
import type { Dispatcher } from "../delivery/dispatcher.ts";
import { toMessageJson } from "./message-json.ts";
import type { MessageStore } from "../store/message-store.ts";
import type { QueryParameters } from "./query-filter.ts";
import type { RecentDeliveries } from "../delivery/recent-deliveries.ts";

export interface MessageRoutes {
  messages: MessageStore;
  recent: RecentDeliveries;
  dispatcher: Dispatcher;
  clock: Clock;
}

/** `/v2/messages`: look at a message on its way, cancel one, some or all. */
export function registerMessageRoutes(api: Api, options: MessageRoutes): void {
  const { messages, recent, dispatcher, clock } = options;

  const cancel = async (parameters: QueryParameters): Promise<number> => {
    const cancelled = await messages.cancel(parameters, clock.nowMs());
    // In a queue, the next has its turn.
    if (cancelled > 0) await dispatcher.reconsider();
    return cancelled;
  };

  api.get("/v2/messages/:messageId", async (context) => {
    const messageId = context.req.param("messageId");
    const message = (await messages.readMessage(messageId)) ?? recent.get(messageId);
    if (!message) throw notFound();
    return context.json(toMessageJson(message));
  });

  api.delete("/v2/messages/:messageId", async (context) => {
    const messageId = context.req.param("messageId");
    const cancelled = await cancel(new Map([["messageIds", [messageId]]]));
    // A message that was delivered a moment ago is still shown; there is nothing left of it to cancel.
    if (cancelled === 0 && !recent.get(messageId)) throw notFound();
    return context.json({ cancelled }, 202);
  });

  api.delete("/v2/messages", async (context) => {
    const parameters = await readParameters(context);
    // QStash's API reference lets `async` matter to filters alone; its default is false.
    const isBackground = parameters.get("async")?.some((value) => value !== "false") && !parameters.has("messageIds");
    if (isBackground) throw notSupported("DELETE /v2/messages?async, a bulk action in the background,");
    return context.json({ cancelled: await cancel(parameters) }, 202);
  });
}

function notFound(): ApiError {
  return new ApiError(404, "message not found");
}
