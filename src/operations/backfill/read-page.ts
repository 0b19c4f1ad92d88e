import { GraphFailure } from "./graph-failure.ts";
import { edgeOf, type GraphObject, textOf, timeOf } from "./graph-values.ts";
import type { WebhookEntry } from "./message-to-webhook.ts";
import { isPathPart, type PageScope, type ReadThing } from "./page-scope.ts";
import { type BackfillCounts, lists, type Position, startOf, type Unread } from "./position.ts";
import { readComments, readReplies } from "./read-comments.ts";
import { readMessage, readMessages } from "./read-messages.ts";
import { goOn, walkOf } from "./walk.ts";

/** One page that was read. */
export interface ReadPage {
  /** Where to go on. */
  position: Position;
  /** What it held of the gap, as a webhook's entries. */
  entries: readonly WebhookEntry[];
  counts: Partial<BackfillCounts>;
}

/**
 * Reads the next page of an account; undefined when it is done. What is gone is counted and passed over, and a
 * list that fails again and again is put off until all others are read. Throws a `GraphFailure`.
 */
export async function readPage(position: Position, scope: PageScope): Promise<ReadPage | undefined> {
  const [first, ...others] = position.unread;
  if (first !== undefined) return readFirst(first, others, position, scope);
  const list = lists[position.list];
  if (list === undefined) return undefined;
  const following = startOf(position.account, position, position.wasPutOff === true ? lists.length : position.list + 1);
  if (position.isListRead || !scope.wants(list)) return { position: following, entries: [], counts: {} };
  try {
    const { unread, after } = await (list === "conversations" ? listConversations : listMedia)(position.after, scope);
    const next = goOn(position, after);
    const place = { ...position, ...next, unread, isListRead: next === null };
    return { position: place, entries: [], counts: { [list]: unread.length } };
  } catch (thrown) {
    const isLeft = !scope.isOnly || lists.slice(position.list + 1).some((other) => scope.wants(other));
    if (!isItsFault(thrown, scope) || !isLeft || position.wasPutOff === true) throw thrown;
    const place = { account: position.account, list: position.list, ...walkOf(position) };
    const putOff = [...(position.putOff ?? []), place];
    return { position: { ...following, putOff }, entries: [], counts: {} };
  }
}

/** Whether it has failed so often in a row that others are not to wait for it. */
function isItsFault(thrown: unknown, { strikes }: PageScope): boolean {
  return strikes >= strikesOfThing && thrown instanceof GraphFailure && /transient|unreadable/.test(thrown.fault);
}

/** Failures in a row after which a thing is passed over: one that Meta cannot give must not keep the others back. */
const strikesOfThing = 3;
/** So many in a row are no fault of theirs: then the backfill goes on trying, and stops. */
const skippedInARowMax = 3;
const namesMax = 20;

async function readFirst(
  first: Unread,
  others: readonly Unread[],
  position: Position,
  scope: PageScope,
): Promise<ReadPage> {
  const { skipped = [], skippedInARow = 0 } = position;
  try {
    const { entries, rest, counts = {} } = await readUnlessGone(first, scope);
    return { position: { ...position, unread: [...rest, ...others], skippedInARow: 0 }, entries, counts };
  } catch (thrown) {
    if (!isItsFault(thrown, scope) || skippedInARow >= skippedInARowMax) throw thrown;
    const names = [...skipped, nameOf(first)].slice(0, namesMax);
    const next = { ...position, unread: others, skipped: names, skippedInARow: skippedInARow + 1 };
    return { position: next, entries: [], counts: { skipped: 1 } };
  }
}

function nameOf(thing: Unread): string {
  if (thing.type === "comments") return `comments of media ${thing.mediaId}`;
  return thing.type === "replies" ? `replies to comment ${thing.parentId}` : `${thing.type} ${thing.id}`;
}

/** A thing may be deleted while its list is read. Without the right to read one of them, all others fail in the same way. */
async function readUnlessGone(thing: Unread, scope: PageScope): Promise<ReadThing> {
  try {
    switch (thing.type) {
      case "conversation":
        return await readMessages(thing.id, scope);
      case "message":
        return await readMessage(thing.id, scope);
      case "comments":
        return await readComments(thing, scope);
      case "replies":
        return await readReplies(thing, scope);
    }
  } catch (thrown) {
    if (!(thrown instanceof GraphFailure) || thrown.fault !== "refused") throw thrown;
    return { entries: [], rest: [], counts: { unreadable: 1 } };
  }
}

interface ListPage {
  unread: Unread[];
  after: string | null;
}

/** Ids and times only: with the messages in it, the API refuses such a page as too much data. */
async function listConversations(after: string | null, { account, gap }: PageScope): Promise<ListPage> {
  const params = { platform: "instagram", fields: "id,updated_time", limit: "50", after };
  const page = edgeOf(await account.api.get(account.paths.conversations, params));
  const hasNews = ({ updated_time: updated }: GraphObject) => (timeOf(updated) ?? Infinity) >= gap.sinceMs;
  const ids = page.items.filter(hasNews).flatMap(({ id }) => textOf(id) ?? []);
  return { unread: ids.filter(isPathPart).map((id) => ({ type: "conversation", id })), after: page.after };
}

/** Old media, too, may have new comments. */
async function listMedia(after: string | null, { account }: PageScope): Promise<ListPage> {
  const params = { fields: "id,media_product_type,comments_count", limit: "50", after };
  const page = edgeOf(await account.api.get(account.paths.media, params));
  const unread = page.items.flatMap(({ id, media_product_type: product, comments_count: count }): Unread[] => {
    const mediaId = textOf(id);
    if (mediaId === undefined || !isPathPart(mediaId) || count === 0) return [];
    return [{ type: "comments", mediaId, product: textOf(product) ?? null, after: null }];
  });
  return { unread, after: page.after };
}
