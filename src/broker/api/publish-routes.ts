import type { Clock } from "#platform/clock.ts";

import type { Accept } from "../delivery/acceptor.ts";
import { ApiError } from "./api-error.ts";
import {
  type Api,
  type ApiContext,
  callerIpOf,
  headersOf,
  parseJson,
  readBody,
  sendJson,
  targetOf,
} from "./api-request.ts";
import { isDataError } from "../store/database.ts";
import { resolveDestination } from "./destination.ts";
import type { Limits } from "../limits.ts";
import type { NewMessage } from "../store/message-rows.ts";
import { assertName, decodeSegment } from "./names.ts";
import type { PublishHeaders } from "./publish-headers.ts";
import { assertHonoured, parsePublishRequest, publishDefaults } from "./publish-request.ts";
import type { UrlGroupStore } from "../store/url-group-store.ts";

export interface PublishRoutes {
  accept: Accept;
  urlGroups: UrlGroupStore;
  limits: Limits;
  /** Counts messages towards the daily quota; throws when it is used up. */
  countMessages: (count: number) => void;
  clock: Clock;
  newId: () => string;
}

const batchBytesMax = 100 * 1024 * 1024;

/** One publish: to an address, or to all endpoints of a URL group. */
interface Item {
  /** As it stands in the request target, query string included. */
  target: string;
  headers: PublishHeaders;
  body: Uint8Array;
  queueName: string | null;
}

/** What an item becomes: one message, or one for each endpoint of a URL group. */
interface Parsed {
  isGroup: boolean;
  messages: NewMessage[];
}

/** `/v2/publish`, `/v2/enqueue` and `/v2/batch`. A message is answered for only after it is committed. */
export function registerPublishRoutes(api: Api, options: PublishRoutes): void {
  const { accept, limits } = options;

  const parse = async (item: Item, context: ApiContext): Promise<Parsed> => {
    const nowMs = options.clock.nowMs();
    const { settings, topicName, endpoints } = await resolveDestination(item.target, options.urlGroups);
    const headers = new Map(item.headers);
    for (const [name, value] of settings) if (!headers.has(name)) headers.set(name, [value]);
    assertHonoured(headers);
    const messages = endpoints.map(({ name: endpointName, url }): NewMessage => {
      const through = { topicName, endpointName, queueName: item.queueName };
      const defaults = publishDefaults(callerIpOf(context), through);
      const publication = parsePublishRequest({ url, headers, body: item.body, nowMs, limits, defaults });
      return { ...publication, messageId: `msg_${options.newId()}`, createdAtMs: nowMs };
    });
    return { isGroup: topicName !== null, messages };
  };

  const acceptItem = async ({ isGroup, messages }: Parsed) => {
    const acceptances = await accept(messages);
    const answers = acceptances.map(({ messageId, deduplicated }, index) => ({
      messageId,
      url: messages[index]?.url,
      deduplicated: deduplicated || undefined,
    }));
    return isGroup ? answers : answers[0];
  };

  const publish = async (context: ApiContext, prefix: string, queueName: string | null) => {
    const target = rawTargetOf(context).slice(prefix.length);
    const tooLarge = new ApiError(412, "quota maxMessageSize exceeded");
    const body = await readBody(context.env.incoming, limits.messageBytesMax, tooLarge);
    const parsed = await parse({ target, headers: headersOf(context), body, queueName }, context);
    options.countMessages(parsed.messages.length);
    const answer = await acceptItem(parsed);
    const answers = [answer].flat();
    const isDuplicate = answers.length > 0 && answers.every((one) => one?.deduplicated);
    return sendJson(context, isDuplicate ? 202 : 200, answer);
  };

  api.post("/v2/publish/*", (context) => publish(context, "/v2/publish/", null));

  api.post("/v2/enqueue/:queueName/*", (context) => {
    const segment = context.req.param("queueName");
    const queueName = assertName(decodeSegment(segment), "queue name");
    return publish(context, `/v2/enqueue/${segment}/`, queueName);
  });

  api.post("/v2/batch", async (context) => {
    const tooLarge = new ApiError(413, "the batch is too large");
    const items = parseJson(await readBody(context.env.incoming, batchBytesMax, tooLarge));
    if (!Array.isArray(items)) throw new ApiError(400, "the body is not a JSON array");
    // One bad item does not hold up the others; its error takes its place in the answer.
    const parsed = await Promise.all(
      items.map((item: unknown) => orError(async () => parse(parseBatchItem(item), context))),
    );
    const good = parsed.filter((item): item is Parsed => !("error" in item));
    options.countMessages(good.reduce((count, { messages }) => count + messages.length, 0));
    return context.json(await acceptBatch(parsed, good));
  });

  /** All in one commit; if the database refuses one for its data, each in its own, so that only that one is lost. */
  async function acceptBatch(parsed: readonly (Parsed | { error: string })[], good: readonly Parsed[]) {
    try {
      const acceptances = await accept(good.flatMap(({ messages }) => messages));
      const inOrder = acceptances.values();
      return parsed.map((item) => {
        if ("error" in item) return item;
        const answers = item.messages.map(({ url }) => {
          const { messageId, deduplicated } = inOrder.next().value ?? {};
          return { messageId, url, deduplicated: deduplicated || undefined };
        });
        return item.isGroup ? answers : answers[0];
      });
    } catch (thrown) {
      if (!isDataError(thrown)) throw thrown;
      return Promise.all(parsed.map((item) => orError(async () => ("error" in item ? item : acceptItem(item)))));
    }
  }
}

async function orError<T>(work: () => Promise<T>): Promise<T | { error: string }> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof ApiError) return { error: thrown.message };
    if (isDataError(thrown)) return { error: "the message cannot be stored" };
    throw thrown;
  }
}

function rawTargetOf(context: ApiContext): string {
  const [path, query] = targetOf(context.env.incoming);
  return context.env.incoming.url?.includes("?") ? `${path}?${query}` : path;
}

function parseBatchItem(item: unknown): Item {
  const { destination, headers, queue, ...rest }: Record<string, unknown> = Object(item);
  // Upstash's Python SDK writes null for a body that there is not.
  const body = rest["body"] ?? "";
  if (typeof destination !== "string") throw new ApiError(400, "an item has no destination");
  if (typeof body !== "string") throw new ApiError(400, "the body of an item is not a string");
  const isQueued = queue !== undefined && queue !== null && queue !== "";
  if (isQueued && typeof queue !== "string") throw new ApiError(400, "the queue of an item is not a string");
  return {
    target: destination,
    headers: parseHeaders(headers),
    body: Buffer.from(body),
    queueName: isQueued ? assertName(queue, "queue name") : null,
  };
}

function parseHeaders(headers: unknown): PublishHeaders {
  const parsed = new Map<string, string[]>();
  const given: Record<string, unknown> = Object(headers);
  for (const [name, value] of Object.entries(given)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (!values.every((one) => typeof one === "string"))
      throw new ApiError(400, `invalid header: ${JSON.stringify(name)}`);
    parsed.set(name.toLowerCase(), values);
  }
  return parsed;
}
