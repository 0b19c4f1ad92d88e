import * as v from "valibot";

import { id, word } from "./item.ts";

const author = v.object({
  /** Missing from some samples. */
  id: v.exactOptional(id),
  username: v.exactOptional(v.string()),
  /** Only where the account itself comments, and in dashboard tests. */
  self_ig_scoped_id: v.exactOptional(id),
});

const media = v.object({
  id,
  media_product_type: v.exactOptional(word("FEED", "REELS", "STORY", "AD", "LIVE", "IG_LIVE")),
  /** Of ads; missing from dynamic ones. */
  ad_id: v.exactOptional(id),
  ad_title: v.exactOptional(v.string()),
  /** The post that an ad was made of. */
  original_media_id: v.exactOptional(id),
});

/**
 * https://developers.facebook.com/docs/graph-api/webhooks/reference/instagram. There is no time in it: `sentAt` of the
 * event is the nearest. Editing and deleting a comment send nothing.
 */
export const commentDataSchema = v.object({
  /** The comment's id, in all that was ever captured. */
  id: v.exactOptional(id),
  /** The comment's id, as the page for Facebook Login names it. */
  comment_id: v.exactOptional(id),
  /** Missing from old dashboard tests, as `media` is. */
  from: v.exactOptional(author),
  media: v.exactOptional(media),
  /** The comment that this one answers. */
  parent_id: v.exactOptional(id),
  /** Missing from a comment that is a GIF or a sticker. */
  text: v.exactOptional(v.string()),
});
/** A comment, or one during a live broadcast. `id ?? comment_id` is its id. */
export interface CommentData extends v.InferOutput<typeof commentDataSchema> {}

/** https://developers.facebook.com/docs/instagram-platform/webhooks/examples */
export const mentionDataSchema = v.object({
  media_id: id,
  /** Missing where the caption is what mentions. */
  comment_id: v.exactOptional(id),
});
/** A person mentioned the account: ids only, the text has to be requested. A mention in a story comes as an attachment. */
export interface MentionData extends v.InferOutput<typeof mentionDataSchema> {}

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started/webhooks-for-instagram */
export const storyInsightsDataSchema = v.object({
  media_id: id,
  /** −1, here as in the others, where the count is under 5. */
  impressions: v.exactOptional(v.number()),
  reach: v.exactOptional(v.number()),
  taps_forward: v.exactOptional(v.number()),
  taps_back: v.exactOptional(v.number()),
  exits: v.exactOptional(v.number()),
  replies: v.exactOptional(v.number()),
});
/** How a story did, sent when it has expired; sometimes again with newer counts. */
export interface StoryInsightsData extends v.InferOutput<typeof storyInsightsDataSchema> {}
