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

/** The messages of a conversation that lie in the gap, the oldest first. Throws a `GraphFailure`. */
export async function readMessages(id: string, { gap, account, withDetails }: PageScope): Promise<ReadThing> {
  const { api } = account;
  const read = (path: string, wrap: (names: string) => string) =>
    api.get(path, { fields: wrap(fields) }).catch((thrown: unknown) => {
      // A version of the API that lacks one of the fields refuses them all.
      if (!(thrown instanceof GraphFailure) || thrown.fault !== "refused") throw thrown;
      return api.get(path, { fields: wrap(coreFields) });
    });
  const conversation = await read(`/${id}`, (names) => `messages.limit(${messagesMax}){${names}}`);
  const { items, after } = edgeOf(conversation["messages"]);
  const inGap = items.filter((message) => isIn(gap, timeOf(message["created_time"])));
  let unreadable = 0;
  const details: GraphObject[] = [];
  for (const message of inGap) {
    const mid = textOf(message["id"]) ?? "";
    // In September 2026 the list left attachments out that the message itself has.
    const whole = withDetails && isBare(message) && isPathPart(mid) ? await readUnlessDeleted(mid) : message;
    if (whole === undefined) unreadable += 1;
    else details.push({ ...message, ...whole });
  }
  const entries = details.flatMap((message) => messageToWebhook(message, account) ?? []);
  const oldestMs = Math.min(...items.map((message) => timeOf(message["created_time"]) ?? Infinity));
  const isCut = (after !== null || items.length > messagesMax) && oldestMs >= gap.sinceMs && oldestMs < Infinity;
  return {
    entries: entries.toSorted((one, other) => one.time - other.time),
    rest: [],
    counts: { beyond: isCut ? 1 : 0, unreadable: unreadable + details.length - entries.length },
  };

  async function readUnlessDeleted(mid: string): Promise<GraphObject | undefined> {
    try {
      return objectOf(await read(`/${mid}`, (names) => names));
    } catch (thrown) {
      if (!(thrown instanceof GraphFailure) || thrown.fault !== "refused") throw thrown;
      return undefined;
    }
  }
}
