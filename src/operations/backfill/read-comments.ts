import { type CommentPlace, commentToWebhook } from "./comment-to-webhook.ts";
import { edgeOf, type GraphObject, textOf, timeOf } from "./graph-values.ts";
import type { WebhookEntry } from "./message-to-webhook.ts";
import { isIn, isPathPart, type PageScope, type ReadThing } from "./page-scope.ts";
import type { Unread } from "./position.ts";
import { goOn } from "./walk.ts";

const fields = "id,text,timestamp,from{id,username}";
/** The API gives no more at once. */
const limit = "50";

/**
 * One page of a media's comments, newest first, with the answers to them. The last page read is the first that holds nothing
 * of the gap and is older than it. Throws a `GraphFailure`.
 */
export async function readComments(
  thing: Extract<Unread, { type: "comments" }>,
  { gap, account }: PageScope,
): Promise<ReadThing> {
  const { mediaId, product, after } = thing;
  const params = { fields: `${fields},replies.limit(${limit}){${fields}}`, limit, after };
  const page = edgeOf(await account.api.get(`/${mediaId}/comments`, params));
  const place = { accountId: account.id, mediaId, product, parentId: null };
  const rest: Unread[] = [];
  const entries: WebhookEntry[] = toEntries(page.items, place);
  for (const comment of page.items) {
    const parentId = textOf(comment["id"]);
    const replies = edgeOf(comment["replies"]);
    if (parentId === undefined || !isPathPart(parentId)) continue;
    entries.push(...toEntries(replies.items, { ...place, parentId }));
    if (replies.after !== null) rest.push({ type: "replies", mediaId, product, parentId, after: replies.after });
  }
  const isOver = entries.length === 0 && page.items.every((comment) => isBefore(comment, gap.sinceMs));
  const next = isOver && page.items.length > 0 ? null : goOn(thing, page.after);
  if (next !== null) rest.push({ type: "comments", mediaId, product, ...next });
  return { entries, rest };

  function toEntries(comments: readonly GraphObject[], where: CommentPlace): WebhookEntry[] {
    const inGap = comments.filter(({ timestamp }) => isIn(gap, timeOf(timestamp)));
    return inGap.flatMap((comment) => commentToWebhook(comment, where) ?? []);
  }
}

/** One further page of the answers to a comment. Throws a `GraphFailure`. */
export async function readReplies(
  thing: Extract<Unread, { type: "replies" }>,
  { gap, account }: PageScope,
): Promise<ReadThing> {
  const { mediaId, product, parentId, after } = thing;
  const page = edgeOf(await account.api.get(`/${parentId}/replies`, { fields, limit, after }));
  const place = { accountId: account.id, mediaId, product, parentId };
  const inGap = page.items.filter(({ timestamp }) => isIn(gap, timeOf(timestamp)));
  const entries = inGap.flatMap((comment) => commentToWebhook(comment, place) ?? []);
  const next = goOn(thing, page.after);
  return { entries, rest: next === null ? [] : [{ type: "replies", mediaId, product, parentId, ...next }] };
}

function isBefore({ timestamp }: GraphObject, sinceMs: number): boolean {
  return (timeOf(timestamp) ?? Infinity) < sinceMs;
}
