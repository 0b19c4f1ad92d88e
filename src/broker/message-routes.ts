import type { Clock } from "#platform/clock.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { type Api, readParameters } from "./api-request.ts";
import { toMessageJson } from "./message-json.ts";
import type { MessageStore } from "./message-store.ts";

export interface MessageRoutes {
  messages: MessageStore;
  clock: Clock;
}

/** `/v2/messages`: look at a message on its way, cancel one, some or all. */
export function registerMessageRoutes(api: Api, { messages, clock }: MessageRoutes): void {
  api.get("/v2/messages/:messageId", async (context) => {
    const message = await messages.readMessage(context.req.param("messageId"));
    if (!message) throw new ApiError(404, "message not found");
    return context.json(toMessageJson(message));
  });

  api.delete("/v2/messages/:messageId", async (context) => {
    const selected = new Map([["messageIds", [context.req.param("messageId")]]]);
    const cancelled = await messages.cancel(selected, clock.nowMs());
    if (cancelled === 0) throw new ApiError(404, "message not found");
    return context.json({ cancelled });
  });

  api.delete("/v2/messages", async (context) => {
    const parameters = await readParameters(context);
    if (parameters.has("async")) throw notSupported("A bulk action in the background");
    return context.json({ cancelled: await messages.cancel(parameters, clock.nowMs()) });
  });
}
