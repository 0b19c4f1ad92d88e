import type { GraphApi } from "./graph-api.ts";
import { GraphFailure } from "./graph-failure.ts";
import { edgeOf, type GraphObject, objectOf, textOf, timeOf } from "./graph-values.ts";
import { isBare, messageToWebhook } from "./message-to-webhook.ts";
import { isIn, isPathPart, type PageScope, type ReadThing } from "./page-scope.ts";

/**
 * The API gives the details of a conversation's 20 newest messages, and says of older ones that they were deleted.
 * https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api, read 2026-11
 */
const messagesMax = 20;

const coreFields = "id,created_time,from,to,message,attachments";
const fields = `${coreFields},shares,story,reply_to,is_unsupported`;

/**
 * The messages of a conversation that lie in the gap, the oldest first. Those that the list gives without content are left to
 * be read one by one: with them a page would have twenty requests, longer than a function may run. Throws a `GraphFailure`.
 */
export async function readMessages(id: string, { gap, account, withDetails }: PageScope): Promise<ReadThing> {
  const conversation = await read(`/${id}`, account.api, (names) => `messages.limit(${messagesMax}){${names}}`);
  const { items, after } = edgeOf(conversation["messages"]);
  const inGap = items.filter((message) => isIn(gap, timeOf(message["created_time"])));
  const bare = withDetails ? inGap.flatMap((message) => bareId(message) ?? []) : [];
  const listed = inGap.filter((message) => !bare.includes(textOf(message["id"]) ?? ""));
  const entries = listed.flatMap((message) => messageToWebhook(message, account) ?? []);
  const oldestMs = Math.min(...items.map((message) => timeOf(message["created_time"]) ?? Infinity));
  const isCut = (after !== null || items.length > messagesMax) && oldestMs >= gap.sinceMs && oldestMs < Infinity;
  return {
    entries: entries.toSorted((one, other) => one.time - other.time),
    rest: bare.toReversed().map((mid) => ({ type: "message", id: mid })),
    counts: { beyond: isCut ? 1 : 0, unreadable: listed.length - entries.length },
  };
}

/** A message that its list gave without content. Throws a `GraphFailure`, `refused` if it was deleted. */
export async function readMessage(mid: string, { gap, account }: PageScope): Promise<ReadThing> {
  const message = objectOf(await read(`/${mid}`, account.api, (names) => names));
  if (!isIn(gap, timeOf(message["created_time"]))) return { entries: [], rest: [], counts: { unreadable: 1 } };
  const entry = messageToWebhook(message, account);
  return { entries: entry === undefined ? [] : [entry], rest: [], counts: { unreadable: entry === undefined ? 1 : 0 } };
}

/** In September 2026 the list left attachments out that the message itself has. */
function bareId(message: GraphObject): string | undefined {
  const mid = textOf(message["id"]) ?? "";
  return isBare(message) && isPathPart(mid) ? mid : undefined;
}

async function read(path: string, api: GraphApi, wrap: (names: string) => string): Promise<GraphObject> {
  try {
    return await api.get(path, { fields: wrap(fields) });
  } catch (thrown) {
    // A version of the API that lacks one of the fields refuses them all.
    if (!(thrown instanceof GraphFailure) || thrown.fault !== "refused") throw thrown;
    return api.get(path, { fields: wrap(coreFields) });
  }
}
