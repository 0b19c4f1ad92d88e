import { type GraphObject, objectOf, textOf, timeOf } from "./graph-values.ts";
import type { WebhookEntry } from "./message-to-webhook.ts";

/** Where a comment stands. */
export interface CommentPlace {
  accountId: string;
  mediaId: string;
  /** FEED, REELS and so on; null if the API does not say. */
  product: string | null;
  /** The comment that it answers; null for none. */
  parentId: string | null;
}

/**
 * A comment of the API as the webhook that Meta would have sent: its id is the same there. A webhook's comment has no time
 * of its own, so the entry has it. Undefined without an id or a time.
 * https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-comment, read 2026-11
 */
export function commentToWebhook(comment: GraphObject, place: CommentPlace): WebhookEntry | undefined {
  const [id, atMs] = [textOf(comment["id"]), timeOf(comment["timestamp"])];
  if (id === undefined || atMs === null) return undefined;
  const from = objectOf(comment["from"]);
  const [authorId, username] = [textOf(from["id"]), textOf(from["username"])];
  const text = textOf(comment["text"]);
  const value = {
    id,
    ...(authorId === undefined ? {} : { from: { id: authorId, ...(username === undefined ? {} : { username }) } }),
    media: { id: place.mediaId, ...(place.product === null ? {} : { media_product_type: place.product }) },
    ...(place.parentId === null ? {} : { parent_id: place.parentId }),
    ...(text === undefined ? {} : { text }),
  };
  return { id: place.accountId, time: Math.floor(atMs / 1_000), changes: [{ field: "comments", value }] };
}
