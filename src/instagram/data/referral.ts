import * as v from "valibot";

import { id, item, sides, time, word } from "./item.ts";

const adsContext = v.object({
  ad_title: v.exactOptional(v.string()),
  photo_url: v.exactOptional(v.string()),
  video_url: v.exactOptional(v.string()),
  post_id: v.exactOptional(id),
  product_id: v.exactOptional(id),
  flow_id: v.exactOptional(id),
});

/** Where a person came from. https://developers.facebook.com/docs/instagram-platform/webhooks/examples */
export const referralSchema = v.object({
  /** The `ref` parameter of the ig.me link, or the ad's. */
  ref: v.exactOptional(v.string()),
  /** An ig.me link, `SHORTLINK`, or `ADS`. */
  source: v.exactOptional(v.string()),
  type: v.exactOptional(word("OPEN_THREAD", "LEAD_COMPLETE")),
  /** Of ads. */
  ad_id: v.exactOptional(id),
  /** Of ads. */
  ads_context_data: v.exactOptional(adsContext),
  /** Of a message that asks about a product of a shop; nothing else is there then. */
  product: v.exactOptional(v.object({ id })),
  referer_uri: v.exactOptional(v.string()),
});

const hop = v.object({ app_id: v.exactOptional(id), metadata: v.exactOptional(v.string()) });
const answer = v.object({ question: v.exactOptional(v.string()), answer: v.exactOptional(v.string()) });

const besideReferral = {
  /** Of `LEAD_COMPLETE`. */
  lead: v.exactOptional(v.object({ data: v.exactOptional(v.array(answer)) })),
  /** Of a conversation that another app passed on. */
  hop_context: v.exactOptional(v.union([v.array(hop), hop])),
};

/** An item of `messaging[]` with the link or ad that led a person to the conversation. */
export const referralDataSchema = item("referral", referralSchema, { ...sides, ...besideReferral });
/** An ig.me link or an ad was opened in a conversation that exists; where a first message brings one, it is in that. */
export type ReferralData = v.InferOutput<typeof referralDataSchema>;

const postbackSchema = v.object({
  /** Id of the message that the tap made. Missing before version 11 and from some ice-breakers. */
  mid: v.exactOptional(v.string()),
  /** The button's words. */
  title: v.exactOptional(v.string()),
  /** What the button was given to send. Missing from `standby`. */
  payload: v.exactOptional(v.string()),
  /** If the tap opened the conversation. */
  referral: v.exactOptional(referralSchema),
});

const besidePostback = {
  /** Only ever true: the account tapped its own button. */
  is_self: v.exactOptional(v.boolean()),
};

/** An item of `messaging[]` with the button that a person tapped. */
export const postbackDataSchema = item("postback", postbackSchema, { ...sides, ...besidePostback });
/** A button or an ice-breaker was tapped. Some ice-breakers come as a message with a `quick_reply` instead. */
export type PostbackData = v.InferOutput<typeof postbackDataSchema>;

const optinSchema = v.object({
  type: v.exactOptional(word("notification_messages")),
  payload: v.exactOptional(v.string()),
  title: v.exactOptional(v.string()),
  notification_messages_token: v.exactOptional(v.string()),
  notification_messages_frequency: v.exactOptional(v.string()),
  notification_messages_timezone: v.exactOptional(v.string()),
  /** Where the person stopped or resumed. */
  notification_messages_status: v.exactOptional(v.string()),
  token_expiry_timestamp: v.exactOptional(time),
  user_token_status: v.exactOptional(v.string()),
});

/** An item of `messaging[]` with a person's consent to notifications. */
export const optinDataSchema = item("optin", optinSchema, sides);
/** A person agreed to receive notifications. From Messenger's page: Instagram's has no sample. */
export type OptinData = v.InferOutput<typeof optinDataSchema>;
