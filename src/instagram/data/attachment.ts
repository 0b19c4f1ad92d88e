import * as v from "valibot";

import { id, time, word } from "./item.ts";

const text = v.exactOptional(v.nullable(v.string()));

const button = v.object({
  /** `open_url` where seen. */
  type: v.exactOptional(v.string()),
  title: v.exactOptional(v.string()),
  url: v.exactOptional(v.string()),
  payload: v.exactOptional(v.string()),
});

const element = v.object({
  title: text,
  subtitle: text,
  image_url: text,
  buttons: v.exactOptional(v.array(button)),
});

const productElement = v.object({
  id: v.exactOptional(id),
  retailer_id: v.exactOptional(id),
  image_url: text,
  title: text,
  subtitle: text,
});

const payload = v.object({
  /** Of nearly every type. Signed and short-lived: a story's media must not be stored, and may be gone in a day. */
  url: text,
  /** Of `ig_post`, `ig_reel`, `reel`, `share`, `fallback`: the caption. */
  title: text,
  /** Of `ig_post`, and of `share` since November 2025. */
  ig_post_media_id: v.exactOptional(id),
  /** Of `ig_reel` and `reel`. */
  reel_video_id: v.exactOptional(id),
  /** Of `ig_story`. */
  story_media_id: v.exactOptional(id),
  /** Of `ig_story`, which usually has no `url`. */
  story_media_url: text,
  /** Of `sticker`. */
  sticker_id: v.exactOptional(id),
  /** Of `post`. */
  id: v.exactOptional(id),
  /** Of `template`; without elements where a comment or an ad was shared. */
  generic: v.exactOptional(v.object({ elements: v.array(element) })),
  /** Of `template`: products of a shop. */
  product: v.exactOptional(v.object({ elements: v.array(productElement) })),
  /** Of `appointment_booking`, with the four below. */
  booking_id: v.exactOptional(id),
  status: v.exactOptional(v.string()),
  /** In seconds since the epoch. */
  start_time: v.exactOptional(time),
  /** In seconds since the epoch. */
  end_time: v.exactOptional(time),
  timezone: v.exactOptional(v.string()),
});

/**
 * Meta's pages, from which the names come, disagree on which type carries what, and so do deliveries: all fields of all
 * payloads are one type, each of them optional.
 * https://developers.facebook.com/docs/instagram-platform/webhooks/examples
 */
export const attachmentSchema = v.object({
  type: word(
    "image",
    "video",
    "audio",
    "file",
    "share",
    "ig_post",
    "ig_reel",
    "reel",
    "ig_story",
    "story",
    "media",
    "story_mention",
    "ephemeral",
    "template",
    "like_heart",
    "fallback",
    "unsupported",
    "unsupported_type",
    "sticker",
    "post",
    "appointment_booking",
  ),
  /** Missing from `ephemeral` and `like_heart`; null for some of what Instagram cannot pass on. */
  payload: v.exactOptional(v.nullable(payload)),
  /** Of some `fallback`s of echoes, with `url`, in place of a payload. */
  title: text,
  url: text,
});

/** One of a message's attachments. */
export interface Attachment extends v.InferOutput<typeof attachmentSchema> {}
