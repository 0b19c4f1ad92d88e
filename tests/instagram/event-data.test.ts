import { readFileSync } from "node:fs";

import * as v from "valibot";
import { describe, expect, test } from "vitest";

import { dataSchemas } from "#instagram/data/event-data.ts";
import { findDrift } from "#instagram/data/find-drift.ts";
import { type EventKind, eventKinds, type Json } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

import { parseOptions } from "../support/parse-options.ts";

const account = "17841400000000001";
const user = "1000000000000101";
const sides = { sender: { id: user }, recipient: { id: account }, timestamp: 1_700_000_000_000 };
const message = (content: Json) => ({ ...sides, message: { mid: "m1", ...(content as object) } }) as Json;
const attached = (type: string, rest: object = {}) => message({ attachments: [{ type, ...rest }] });
const url = "https://cdn.example.com/x?asset_id=1&signature=abc";

/** Every shape that Meta's pages or captures have. None is to differ from the schemas in anything. */
const known: [kind: EventKind, name: string, data: Json][] = [
  ["message", "of words", message({ text: "hi" })],
  ["message", "of nothing but an id", message({})],
  ["message", "with a quick reply", message({ text: "Yes", quick_reply: { payload: "YES" } })],
  ["message", "with a quick reply and no text", message({ quick_reply: { payload: "YES" } })],
  ["message", "in reply to a message", message({ text: "this", reply_to: { mid: "m0", is_self_reply: false } })],
  ["message", "in reply to a story", message({ text: "wow", reply_to: { story: { id: "1790", url } } })],
  [
    "message",
    "in reply to a story with a link",
    message({ text: "wow", reply_to: { story: { id: "1790", url, link_sticker_url: "https://shop.example.com" } } }),
  ],
  ["message", "about a product", message({ text: "How much?", referral: { product: { id: "5000000000000001" } } })],
  [
    "message",
    "from an ad",
    message({
      text: "Hi",
      referral: {
        ref: "r",
        ad_id: "120200000000000001",
        source: "ADS",
        type: "OPEN_THREAD",
        ads_context_data: {
          ad_title: "t",
          photo_url: url,
          video_url: url,
          post_id: "1",
          product_id: "2",
          flow_id: "3",
        },
      },
    }),
  ],
  ["message", "with false flags and a folder", message({ text: "x", is_echo: false, is_self: false, folder: "inbox" })],
  ["message", "whose ids are numbers", { ...sides, sender: { id: 12334 }, message: { mid: "m1", text: "x" } }],
  ["message", "with seconds in a string", { ...sides, timestamp: "1527459824", message: { mid: "m1", text: "x" } }],
  ["message", "with a date", { ...sides, timestamp: "2021-09-08T06:34:04+0000", message: { mid: "m1", text: "x" } }],
  ["message", "without sides and time", { message: { mid: "m1", text: "x" } }],
  [
    "message",
    "that is the change's value itself",
    { ...sides, mid: "m1", text: "x", attachments: [{ type: "image" }] },
  ],
  ["message.echo", "of words", message({ text: "sent by us", is_echo: true })],
  ["message.echo", "to oneself", message({ text: "me to me", is_echo: true, is_self: true })],
  ["message.echo", "of an app", message({ text: "x", is_echo: true, app_id: 1234567890, metadata: "m" })],
  ["message.deleted", "", message({ is_deleted: true })],
  ["message.unsupported", "", message({ is_unsupported: true })],
  [
    "message",
    "with an image and a video",
    message({ attachments: ["image", "video"].map((type) => ({ type, payload: { url } })) }),
  ],
  ...["image", "video", "audio", "file", "story", "media", "story_mention", "share", "unsupported_type"].map(
    (type): [EventKind, string, Json] => ["message", `with ${type}`, attached(type, { payload: { url } })],
  ),
  ["message", "with share of a post", attached("share", { payload: { url, ig_post_media_id: "1790", title: "t" } })],
  ["message", "with ig_post", attached("ig_post", { payload: { url, ig_post_media_id: "1790", title: "t" } })],
  ["message", "with ig_reel", attached("ig_reel", { payload: { url, reel_video_id: "1790", title: "t" } })],
  ["message", "with reel and a number", attached("reel", { payload: { url, reel_video_id: 1790, title: "t" } })],
  ["message", "with ig_story", attached("ig_story", { payload: { story_media_id: "1790", story_media_url: url } })],
  ["message", "with ig_story as it once was", attached("ig_story", { payload: { url } })],
  ["message", "with ephemeral", attached("ephemeral")],
  ["message", "with like_heart", attached("like_heart")],
  ["message", "with fallback", attached("fallback", { title: "t", url, payload: null })],
  ["message", "with fallback and a payload", attached("fallback", { payload: { title: "t", url } })],
  ["message", "with unsupported", attached("unsupported", { payload: null })],
  ["message", "with sticker", attached("sticker", { payload: { url, sticker_id: 369239263222822 } })],
  ["message", "with post", attached("post", { payload: { id: 1790, url } })],
  [
    "message",
    "with appointment_booking",
    attached("appointment_booking", {
      payload: {
        booking_id: "b1",
        status: "CONFIRMED",
        start_time: 1_700_000_000,
        end_time: 1_700_003_600,
        timezone: "UTC",
      },
    }),
  ],
  [
    "message.echo",
    "with a template",
    message({
      is_echo: true,
      attachments: [
        {
          type: "template",
          payload: {
            generic: { elements: [{ title: "t", buttons: [{ type: "open_url", url, title: "Open" }] }] },
          },
        },
      ],
    }),
  ],
  ["message", "with an empty template", attached("template", { payload: { generic: { elements: [] } } })],
  [
    "message",
    "with a template of products",
    attached("template", {
      payload: { product: { elements: [{ id: "5", retailer_id: "6", image_url: url, title: "t", subtitle: "s" }] } },
    }),
  ],
  ["message.edited", "", { ...sides, message_edit: { mid: "m1", text: "new", num_edit: 1 } }],
  ["message.edited", "in quotes", { ...sides, message_edit: { mid: "m1", text: "new", num_edit: "1" } }],
  [
    "message.edited",
    "numbered 0, of nobody",
    { timestamp: 1_700_000_000_000, message_edit: { mid: "m1", num_edit: 0 } },
  ],
  ["message.edited", "that is the change's value itself", { mid: "m1", text: "new", num_edit: 1 }],
  ["reaction", "", { ...sides, reaction: { mid: "m1", action: "react", reaction: "love", emoji: "❤️" } }],
  ["reaction", "without its name", { ...sides, reaction: { mid: "m1", action: "react", emoji: "❤️" } }],
  ["reaction", "taken back", { ...sides, reaction: { mid: "m1", action: "unreact" } }],
  [
    "reaction",
    "with a folder",
    { ...sides, reaction: { mid: "m1", action: "react", reaction: "other", folder: "inbox" } },
  ],
  ["read", "", { ...sides, read: { mid: "m1" } }],
  ["postback", "", { ...sides, postback: { mid: "m1", title: "Hours?", payload: "HOURS" } }],
  ["postback", "of old", { ...sides, postback: { title: "Hours?", payload: "HOURS" } }],
  ["postback", "in standby", { ...sides, postback: { mid: "m1", title: "Hours?" } }],
  ["postback", "by oneself", { ...sides, is_self: true, postback: { mid: "m1", title: "Hours?", payload: "HOURS" } }],
  [
    "postback",
    "that opened the conversation",
    {
      ...sides,
      postback: { mid: "m1", title: "t", payload: "p", referral: { ref: "r", source: "s", type: "OPEN_THREAD" } },
    },
  ],
  ["referral", "", { ...sides, referral: { ref: "r", source: "https://ig.me/m/shop", type: "OPEN_THREAD" } }],
  ["referral", "of a short link", { ...sides, referral: { ref: "r", source: "SHORTLINK", type: "OPEN_THREAD" } }],
  [
    "referral",
    "of an ad",
    { ...sides, referral: { ad_id: 120200000000000, source: "ADS", type: "OPEN_THREAD", referer_uri: url } },
  ],
  [
    "referral",
    "of a lead",
    {
      ...sides,
      referral: { source: "ADS", type: "LEAD_COMPLETE", ad_id: "12" },
      lead: { data: [{ question: "q", answer: "a" }] },
      hop_context: { app_id: 123, metadata: "m" },
    },
  ],
  [
    "referral",
    "of a lead with hops",
    { ...sides, referral: { ref: "r" }, hop_context: [{ app_id: 123, metadata: "m" }] },
  ],
  [
    "optin",
    "",
    {
      ...sides,
      optin: {
        type: "notification_messages",
        payload: "p",
        title: "t",
        notification_messages_token: "k",
        notification_messages_frequency: "DAILY",
        notification_messages_timezone: "UTC",
        notification_messages_status: "STOP_NOTIFICATIONS",
        token_expiry_timestamp: "1700000000000",
        user_token_status: "NOT_REFRESHED",
      },
    },
  ],
  [
    "handover",
    "passed",
    { ...sides, pass_thread_control: { previous_owner_app_id: "1", new_owner_app_id: "2", metadata: "m" } },
  ],
  [
    "handover",
    "taken from nobody",
    { ...sides, take_thread_control: { previous_owner_app_id: null, new_owner_app_id: 2, metadata: "m" } },
  ],
  ["handover", "asked for", { ...sides, request_thread_control: { requested_owner_app_id: 123456789, metadata: "m" } }],
  ["handover", "as old copies have it", { ...sides, pass_thread_metadata: { caller_app_id: "1", metadata: "m" } }],
  [
    "handover",
    "of roles",
    { recipient: { id: account }, timestamp: 1, app_roles: { "123456789": ["primary_receiver"] } },
  ],
  [
    "policy",
    "",
    { recipient: { id: account }, timestamp: 1_700_000_000_000, policy_enforcement: { action: "block", reason: "r" } },
  ],
  ["policy", "undone", { recipient: { id: account }, policy_enforcement: { action: "unblock" } }],
  ["feedback", "", { ...sides, response_feedback: { feedback: "Good response", mid: "m1" } }],
  [
    "comment",
    "",
    {
      id: "17900000000000001",
      from: { id: user, username: "u" },
      media: { id: "17900000000000002", media_product_type: "REELS" },
      parent_id: "17900000000000009",
      text: "price?",
    },
  ],
  [
    "comment",
    "on an ad, by its other name",
    {
      comment_id: "17900000000000001",
      from: { id: user, username: "u" },
      media: { id: "1", ad_id: "120200000000000002", ad_title: "t", original_media_id: "2", media_product_type: "AD" },
      text: "price?",
    },
  ],
  ["comment", "of one's own", { id: "1", from: { id: account, username: "shop", self_ig_scoped_id: "9" }, text: "x" }],
  [
    "comment",
    "of a sticker",
    { id: "1", from: { id: user, username: "u" }, media: { id: "2", media_product_type: "FEED" } },
  ],
  ["comment", "of a test", { id: "17865799348089039", text: "This is an example." }],
  [
    "live_comment",
    "",
    { id: "1", from: { id: user, username: "u" }, media: { id: "2", media_product_type: "LIVE" }, text: "x" },
  ],
  ["mention", "in a comment", { media_id: "17900000000000002", comment_id: "17900000000000003" }],
  ["mention", "in a caption", { media_id: "17900000000000002" }],
  [
    "story_insights",
    "",
    { media_id: "1", impressions: 28, reach: 17, taps_forward: 12, taps_back: 0, exits: -1, replies: 0 },
  ],
];

describe("what Meta is known to send", () => {
  test.each(known)("%s %s", (kind, _name, data) => {
    expect(findDrift(kind, data)).toEqual({ drifted: false, findings: [] });
  });

  test("covers every kind", () => {
    expect(new Set(known.map(([kind]) => kind)).size).toBe(eventKinds.length - 1);
  });

  test("is classified by the parser as it is here", async () => {
    for (const [kind, name, data] of known.filter((row) => !row[1].includes("itself"))) {
      const field = { comment: "comments", live_comment: "live_comments", mention: "mentions" }[kind as string];
      const container =
        field === undefined && kind !== "story_insights"
          ? { messaging: [data] }
          : { changes: [{ field: field ?? kind, value: data }] };
      const body = JSON.stringify({ object: "instagram", entry: [{ id: account, time: 1, ...container }] });
      const [event] = await parseWebhook(new TextEncoder().encode(body), parseOptions("d1"));
      expect([name, event?.kind, event?.data]).toEqual([name, kind, data]);
    }
  });

  test("fits the schemas by valibot's own judgement too", () => {
    for (const [kind, name, data] of known) {
      expect([name, kind !== "unknown" && v.is(dataSchemas[kind], data)]).toEqual([name, true]);
    }
  });
});

const realWorld = process.env["INSTAGRAM_FIXTURES"];

/** Samples that differ: one that Meta's dashboard sent for a while in 2021, and one written to be wrong in every way. */
const odd = /^(037|079)-/;

const index = realWorld === undefined ? "" : readFileSync(`${realWorld}/index.tsv`, "utf8").trim();

describe.runIf(index !== "")("the folder in INSTAGRAM_FIXTURES", () => {
  const rows = index.split("\n").slice(1);
  const files = rows.map((row) => row.split("\t")[0] ?? "");
  const mismatchesOf = async (file: string) => {
    const events = await parseWebhook(readFileSync(`${realWorld}/${file}`), parseOptions("d1"));
    return events.flatMap(({ kind, data }) =>
      findDrift(kind, data).findings.filter(({ finding }) => finding === "mismatch"),
    );
  };
  test.each(files.filter((file) => !odd.test(file)))("%s fits its schemas", async (file) => {
    expect(await mismatchesOf(file)).toEqual([]);
  });
  test.each(files.filter((file) => odd.test(file)))("%s does not fit its schemas", async (file) => {
    expect(await mismatchesOf(file)).not.toEqual([]);
  });
});
