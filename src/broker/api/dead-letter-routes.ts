import type { Clock } from "#platform/clock.ts";

import { prepare } from "../delivery/acceptor.ts";
import { ApiError } from "./api-error.ts";
import { type Api, type ApiContext, headersOf, readParameters } from "./api-request.ts";
import type { DeadLetterStore, Page } from "../store/dead-letter-store.ts";
import type { Dispatcher } from "../delivery/dispatcher.ts";
import type { FlowControls } from "../store/flow-controls.ts";
import { laneOf } from "../lane.ts";
import type { Limits } from "../limits.ts";
import type { DeadLetter } from "../message.ts";
import { toDeadLetterJson } from "./message-json.ts";
import type { PublishHeaders } from "./publish-headers.ts";
import { assertHonoured, parsePublishRequest, type PublicationDefaults } from "./publish-request.ts";
import type { QueryParameters } from "./query-filter.ts";
import type { Queues } from "../store/queues.ts";

export interface DeadLetterRoutes {
  deadLetters: DeadLetterStore;
  dispatcher: Dispatcher;
  flowControls: FlowControls;
  queues: Queues;
  limits: Limits;
  clock: Clock;
  newId: () => string;
}

/** `/v2/dlq`: read, delete and retry dead letters, one or a page of them. */
export function registerDeadLetterRoutes(api: Api, options: DeadLetterRoutes): void {
  const { deadLetters, dispatcher, clock, newId, limits } = options;

  /** A new message with the letter's content and settings, except those that the request gives anew. */
  const retry = async (parameters: QueryParameters, headers: PublishHeaders): Promise<Page<{ messageId: string }>> => {
    assertHonoured(headers);
    const nowMs = clock.nowMs();
    const page = await deadLetters.retry(parameters, (letter) => {
      const { url, body } = letter;
      const publication = parsePublishRequest({ url, headers, body, nowMs, limits, defaults: settingsOf(letter) });
      // Never a duplicate: the letter is gone then.
      return { ...publication, messageId: `msg_${newId()}`, createdAtMs: nowMs, deduplicationId: null };
    });
    await prepare(page.items, options);
    for (const message of page.items) dispatcher.expect({ lane: laneOf(message), dueAtMs: message.notBeforeMs });
    return { ...page, items: page.items.map(({ messageId }) => ({ messageId })) };
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
    const { items } = await retry(withId(context.req.param("dlqId")), settingHeadersOf(context));
    return context.json({ ...items[0], responses: items }, 201);
  });

  api.post("/v2/dlq/retry", async (context) => {
    const parameters = await readParameters(context);
    const { items, cursor } = await retry(parameters, settingHeadersOf(context));
    return context.json({ responses: items, cursor }, 201);
  });
}

/** What a client sends as the type of its own body says nothing about the letter's. */
function settingHeadersOf(context: ApiContext): PublishHeaders {
  return new Map([...headersOf(context)].filter(([name]) => name.startsWith("upstash-")));
}

function settingsOf(letter: DeadLetter): PublicationDefaults {
  return {
    method: letter.method,
    header: letter.header,
    maxRetries: letter.maxRetries,
    timeoutMs: letter.timeoutMs,
    retryDelay: letter.retryDelay ?? null,
    labels: letter.labels,
    callback: letter.callback,
    failureCallback: letter.failureCallback,
    callerIp: letter.callerIp,
    flowControl: letter.flowControl,
    redact: letter.redact,
    queueName: letter.queueName,
    topicName: letter.topicName,
    endpointName: letter.endpointName,
    scheduleId: letter.scheduleId,
  };
}

function withId(dlqId: string): QueryParameters {
  return new Map([["dlqIds", [dlqId]]]);
}

function notFound(): ApiError {
  return new ApiError(404, "dead letter not found");
}
