import * as v from "valibot";

import { id, item, sides, word } from "./item.ts";

/** Null when no app had the conversation. */
const owner = v.exactOptional(v.nullable(id));
const metadata = v.exactOptional(v.nullable(v.string()));

const ownerChange = v.object({
  previous_owner_app_id: owner,
  new_owner_app_id: owner,
  /** What the app that acted said about it. */
  metadata,
});

/** Messenger's page, whose samples have app ids as numbers: Instagram's reference has them as strings. */
export const handoverDataSchema = v.object({
  ...sides,
  /** The app that had the conversation gave it away. */
  pass_thread_control: v.exactOptional(ownerChange),
  /** The primary app took the conversation. */
  take_thread_control: v.exactOptional(ownerChange),
  /** Another app asks for the conversation. */
  request_thread_control: v.exactOptional(v.object({ requested_owner_app_id: owner, metadata })),
  /** In old copies of the reference only. */
  pass_thread_metadata: v.exactOptional(v.object({ caller_app_id: owner, metadata })),
  /** The roles of each app, by its id. Comes without a sender. */
  app_roles: v.exactOptional(v.record(v.string(), v.array(v.string()))),
});
/** Which app has a conversation changed, or shall: one of the keys is there. */
export type HandoverData = v.InferOutput<typeof handoverDataSchema>;

const policySchema = v.object({
  action: word("warning", "block", "unblock"),
  /** Missing from `unblock`. */
  reason: v.exactOptional(v.string()),
});

/** An item of `messaging[]` that reports a policy action. */
export const policyDataSchema = item("policy_enforcement", policySchema, sides);
/** Meta warned, blocked or unblocked the account. Comes without a sender; Facebook Login only. */
export type PolicyData = v.InferOutput<typeof policyDataSchema>;

const feedbackSchema = v.object({
  feedback: word("Good response", "Bad response"),
  /** The message judged. */
  mid: v.string(),
});

/** An item of `messaging[]` with a person's feedback on a response. */
export const feedbackDataSchema = item("response_feedback", feedbackSchema, sides);
/** A person rated an automated answer. Facebook Login only. */
export type FeedbackData = v.InferOutput<typeof feedbackDataSchema>;
