import type { Clock } from "#platform/clock.ts";
import type { Log } from "#platform/log.ts";

import { ApiError, notSupported } from "./api-error.ts";
import { type Api, type ApiContext, parseJson, readBody, targetOf } from "./api-request.ts";
import type { BrokerStore } from "./broker-store.ts";
import type { PublishHeaders } from "./delivery-settings.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { NewMessage } from "./message-rows.ts";
import { messageBytesMax, parsePublishRequest, type PublishRequest } from "./publish-request.ts";

export interface PublishRoutes {
  store: BrokerStore;
  dispatcher: Dispatcher;
  clock: Clock;
  newId: () => string;
  log: Log;
}

const batchBytesMax = 100 * 1024 * 1024;

/** `/v2/publish` and `/v2/batch`. A message is answered for only after it is committed. */
export function registerPublishRoutes(api: Api, options: PublishRoutes): void {
  const { clock, newId } = options;

  const toMessage = (request: PublishRequest): NewMessage => ({
    ...parsePublishRequest(request),
    messageId: `msg_${newId()}`,
    createdAtMs: request.nowMs,
  });

  const accept = async (messages: readonly NewMessage[]) => {
    const acceptances = messages.length > 0 ? await options.store.accept(messages) : [];
    return acceptances.map(({ messageId, deduplicated }, index) => {
      const message = messages[index];
      options.log.info("broker.message_accepted", { messageId, deduplicated, bytes: message?.body.byteLength });
      if (message && !deduplicated) options.dispatcher.expect(message.notBeforeMs);
      return { messageId, url: message?.url, deduplicated: deduplicated || undefined };
    });
  };

  api.post("/v2/publish/*", async (context) => {
    const [path, query] = targetOf(context.env.incoming);
    const hasQuery = context.env.incoming.url?.includes("?");
    const body = await readBody(
      context.env.incoming,
      messageBytesMax,
      new ApiError(412, "quota maxMessageSize exceeded"),
    );
    const message = toMessage({
      target: path.slice("/v2/publish/".length) + (hasQuery ? `?${query}` : ""),
      headers: headersOf(context),
      body,
      callerIp: callerIpOf(context),
      nowMs: clock.nowMs(),
    });
    const [accepted] = await accept([message]);
    return context.json(accepted, accepted?.deduplicated ? 202 : 200);
  });

  api.post("/v2/batch", async (context) => {
    const tooLarge = new ApiError(413, "the batch is too large");
    const items = parseJson(await readBody(context.env.incoming, batchBytesMax, tooLarge));
    if (!Array.isArray(items)) throw new ApiError(400, "the body is not a JSON array");
    const common = { callerIp: callerIpOf(context), nowMs: clock.nowMs() };
    // One bad item does not hold up the others; its error takes its place in the answer.
    const parsed = items.map((item: unknown) => {
      try {
        return toMessage({ ...parseBatchItem(item), ...common });
      } catch (thrown) {
        if (thrown instanceof ApiError) return { error: thrown.message };
        throw thrown;
      }
    });
    const accepted = await accept(parsed.filter((item): item is NewMessage => !("error" in item)));
    const inOrder = accepted.values();
    return context.json(parsed.map((item) => ("error" in item ? item : inOrder.next().value)));
  });
}

function parseBatchItem(item: unknown): Pick<PublishRequest, "target" | "headers" | "body"> {
  const { destination, headers = {}, body = "", queue }: Record<string, unknown> = Object(item);
  if (queue !== undefined && queue !== null && queue !== "") throw notSupported("A queue");
  if (typeof destination !== "string") throw new ApiError(400, "an item has no destination");
  if (typeof body !== "string") throw new ApiError(400, "the body of an item is not a string");
  return { target: destination, headers: parseHeaders(headers), body: Buffer.from(body) };
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

function headersOf(context: ApiContext): PublishHeaders {
  const entries = Object.entries(context.env.incoming.headersDistinct);
  return new Map(entries.map(([name, values]) => [name, values ?? []]));
}

function callerIpOf(context: ApiContext): string {
  return context.env.incoming.socket.remoteAddress ?? "";
}
