import * as v from "valibot";

import { attachmentSchema } from "./attachment.ts";
import { count, id, item, sides, word } from "./item.ts";
import { referralSchema } from "./referral.ts";

const replyTo = v.object({
  /** The message replied to; missing from a reply to a story. */
  mid: v.exactOptional(v.string()),
  /** Whether the message replied to was the account's own. */
  is_self_reply: v.exactOptional(v.boolean()),
  /** The story replied to. */
  story: v.exactOptional(
    v.object({
      id: v.exactOptional(id),
      /** Signed, and gone with the story. */
      url: v.exactOptional(v.nullable(v.string())),
      link_sticker_url: v.exactOptional(v.nullable(v.string())),
    }),
  ),
});

/**
 * https://developers.facebook.com/docs/instagram-platform/webhooks/examples and
 * https://developers.facebook.com/docs/graph-api/webhooks/reference/instagram
 */
const messageSchema = v.object({
  /** The message's id, the same in its unsend, its edits and the reactions to it. */
  mid: v.string(),
  /** Missing from an unsend, from what is unsupported, and where there are only attachments. */
  text: v.exactOptional(v.string()),
  /** Several are several media. For some months from November 2025 one shared post came as two: `share` and `ig_post`. */
  attachments: v.exactOptional(v.array(attachmentSchema)),
  /** The quick reply chosen, or an ice-breaker of Instagram's own; may come without `text`. */
  quick_reply: v.exactOptional(v.object({ payload: v.exactOptional(v.string()) })),
  /** What it replies to: a message or a story. */
  reply_to: v.exactOptional(replyTo),
  /** Of a conversation's first message: the link, the ad or the product that led to it. */
  referral: v.exactOptional(referralSchema),
  /** Sent by the account: through any app, or by a person in Instagram. */
  is_echo: v.exactOptional(v.boolean()),
  /** Unsent: an update of the message with this `mid`. */
  is_deleted: v.exactOptional(v.boolean()),
  /** Something that Instagram does not pass on. */
  is_unsupported: v.exactOptional(v.boolean()),
  /** The account wrote to itself. */
  is_self: v.exactOptional(v.boolean()),
  /** Which inbox folder it lies in. In the reference only. */
  folder: v.exactOptional(v.string()),
  /** Of an echo: the app that sent it. On Messenger's page only. */
  app_id: v.exactOptional(id),
  /** Of an echo: what the app sent along. On Messenger's page only. */
  metadata: v.exactOptional(v.string()),
});

/** What was written, sent or unsent. */
export interface Message extends v.InferOutput<typeof messageSchema> {}

/** An item of `messaging[]` with a message, an echo, a deletion or an unsupported message. */
export const messageDataSchema = item("message", messageSchema, sides);
/** A message, its echo, its unsend, or the notice of one that Instagram does not pass on: the kind says which. */
export type MessageData = v.InferOutput<typeof messageDataSchema>;

const editSchema = v.object({
  mid: v.string(),
  /** The new words; missing where `num_edit` is 0. */
  text: v.exactOptional(v.string()),
  /** Which edit it is, from 1 to 5. 0 is no edit: it comes with new messages, often without sender and recipient. */
  num_edit: count,
});

/** An item of `messaging[]` with the new text of a message. */
export const editDataSchema = item("message_edit", editSchema, sides);
/** A message was edited. */
export type EditData = v.InferOutput<typeof editDataSchema>;

const reactionSchema = v.object({
  /** The message reacted to. */
  mid: v.string(),
  action: word("react", "unreact"),
  /** The reaction's name; missing when it is taken back, and sometimes else. */
  reaction: v.exactOptional(word("smile", "love", "wow", "sad", "angry", "like", "laugh", "haha", "dislike", "other")),
  /** Missing when the reaction is taken back. */
  emoji: v.exactOptional(v.string()),
  folder: v.exactOptional(v.string()),
});

/** An item of `messaging[]` with a reaction to a message. */
export const reactionDataSchema = item("reaction", reactionSchema, sides);
/** A reaction to a message was made or taken back. */
export type ReactionData = v.InferOutput<typeof reactionDataSchema>;

const readSchema = v.object({
  /** The last message that was seen. */
  mid: v.string(),
});

/** An item of `messaging[]` that says a message was read. */
export const readDataSchema = item("read", readSchema, sides);
/** A message was seen. */
export type ReadData = v.InferOutput<typeof readDataSchema>;
