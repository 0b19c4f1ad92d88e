import type { Clock } from "#platform/clock.ts";

import { ApiError } from "./api-error.ts";
import { type Api, readParameters } from "./api-request.ts";
import type { DeadLetterStore, Page } from "./dead-letter-store.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { toDeadLetterJson } from "./message-json.ts";
import type { QueryParameters } from "./query-filter.ts";

export interface DeadLetterRoutes {
  deadLetters: DeadLetterStore;
  dispatcher: Dispatcher;
  clock: Clock;
  newId: () => string;
}

/** `/v2/dlq`: read, delete and retry dead letters, one or a page of them. */
export function registerDeadLetterRoutes(api: Api, options: DeadLetterRoutes): void {
  const { deadLetters, dispatcher, clock, newId } = options;

  const retry = async (parameters: QueryParameters): Promise<Page<{ messageId: string }>> => {
    const nowMs = clock.nowMs();
    const page = await deadLetters.retry(parameters, () => `msg_${newId()}`, nowMs);
    if (page.items.length > 0) dispatcher.expect(nowMs);
    return { ...page, items: page.items.map((messageId) => ({ messageId })) };
  };

  api.get("/v2/dlq", async (context) => {
    const parameters = await readParameters(context);
    const { items, cursor } = await deadLetters.list(parameters);
    return context.json({ messages: items.map(toDeadLetterJson), cursor });
  });

  api.get("/v2/dlq/:dlqId", async (context) => {
    const letter = await deadLetters.read(context.req.param("dlqId"));
    if (!letter) throw notFound();
    return context.json(toDeadLetterJson(letter));
  });

  api.delete("/v2/dlq/:dlqId", async (context) => {
    const { items } = await deadLetters.delete(withId(context.req.param("dlqId")));
    if (items.length === 0) throw notFound();
    return context.json({ deleted: items.length });
  });

  api.delete("/v2/dlq", async (context) => {
    const parameters = await readParameters(context);
    const { items, cursor } = await deadLetters.delete(parameters);
    return context.json({ deleted: items.length, cursor });
  });

  api.post("/v2/dlq/retry/:dlqId", async (context) => {
    const { items } = await retry(withId(context.req.param("dlqId")));
    if (items.length === 0) throw notFound();
    return context.json({ responses: items }, 201);
  });

  api.post("/v2/dlq/retry", async (context) => {
    const parameters = await readParameters(context);
    const { items, cursor } = await retry(parameters);
    return context.json({ responses: items, cursor }, 201);
  });
}

function withId(dlqId: string): QueryParameters {
  return new Map([["dlqIds", [dlqId]]]);
}

function notFound(): ApiError {
  return new ApiError(404, "dead letter not found");
}
