import type * as v from "valibot";

import type { EventKind, Json } from "../events.ts";
import { type CommentData, commentDataSchema, type MentionData, mentionDataSchema } from "./comment.ts";
import { type StoryInsightsData, storyInsightsDataSchema } from "./comment.ts";
import { type FeedbackData, feedbackDataSchema, type HandoverData, handoverDataSchema } from "./handover.ts";
import { type PolicyData, policyDataSchema } from "./handover.ts";
import { type EditData, editDataSchema, type MessageData, messageDataSchema } from "./message.ts";
import { type ReactionData, reactionDataSchema, type ReadData, readDataSchema } from "./message.ts";
import { type OptinData, optinDataSchema, type PostbackData, postbackDataSchema } from "./referral.ts";
import { type ReferralData, referralDataSchema } from "./referral.ts";

/**
 * What the item of each kind looks like, as Meta sent it and whatever container it came in. Fields that Meta adds are in
 * the data too and not in the type. Optional is what was ever seen or documented missing; nothing else about a field's
 * presence is promised by Meta.
 */
export interface EventData {
  message: MessageData;
  "message.echo": MessageData;
  "message.deleted": MessageData;
  "message.unsupported": MessageData;
  "message.edited": EditData;
  reaction: ReactionData;
  read: ReadData;
  postback: PostbackData;
  referral: ReferralData;
  optin: OptinData;
  handover: HandoverData;
  policy: PolicyData;
  feedback: FeedbackData;
  comment: CommentData;
  live_comment: CommentData;
  mention: MentionData;
  story_insights: StoryInsightsData;
  unknown: Json;
}

/** The schema of each kind's data; they describe and check, their output (without what they do not know) is not used. */
export const dataSchemas: {
  readonly [Kind in Exclude<EventKind, "unknown">]: v.GenericSchema<unknown, EventData[Kind]>;
} = {
  message: messageDataSchema,
  "message.echo": messageDataSchema,
  "message.deleted": messageDataSchema,
  "message.unsupported": messageDataSchema,
  "message.edited": editDataSchema,
  reaction: reactionDataSchema,
  read: readDataSchema,
  postback: postbackDataSchema,
  referral: referralDataSchema,
  optin: optinDataSchema,
  handover: handoverDataSchema,
  policy: policyDataSchema,
  feedback: feedbackDataSchema,
  comment: commentDataSchema,
  live_comment: commentDataSchema,
  mention: mentionDataSchema,
  story_insights: storyInsightsDataSchema,
};
