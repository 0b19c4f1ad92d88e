import { accepts, acceptsBodyIn, type ConformanceCase } from "./conformance-case.ts";
import { bodyOf, commentChange, envelope, kindBody, messageItem, write } from "./deliveries.ts";
import { accountId, changesEntry, comment, item, messagingEntry, mid, objectId, payloadKinds } from "./payloads.ts";

const ofKind = acceptsBodyIn("kind");
const shape = acceptsBodyIn("container");

/** One delivery of every kind of event that Meta documents. */
export const kindCases: ConformanceCase[] = payloadKinds.map((kind) =>
  ofKind(
    kind,
    "must",
    `an event of kind ${kind}`,
    "An account that is subscribed to one field gets the events of all fields that the app is subscribed to.",
    (nowMs) => kindBody(kind, nowMs),
  ),
);

/** Shapes from https://developers.facebook.com/docs/instagram-platform/webhooks/examples and from recorded deliveries. */
export const containerCases: ConformanceCase[] = [
  shape(
    "standby",
    "must",
    "events in standby",
    "Copies arrive there while another app has the conversation.",
    (nowMs) => bodyOf({ id: accountId, time: nowMs, standby: [messageItem(nowMs)] }),
  ),
  shape("flat", "must", "a field and its value directly in the entry", "Meta's pages show comments so.", (nowMs) =>
    bodyOf({ id: accountId, time: Math.floor(nowMs / 1000), ...commentChange() }),
  ),
  shape("message-as-change", "must", "a message in changes", "Meta's field reference shows all fields so.", (nowMs) =>
    bodyOf(changesEntry(nowMs, { field: "messages", value: messageItem(nowMs) })),
  ),
  shape("mixed", "must", "several containers in one entry", "Meta's pages do not exclude it.", (nowMs) =>
    bodyOf({
      ...changesEntry(nowMs, commentChange()),
      ...messagingEntry(nowMs, messageItem(nowMs)),
      standby: [messageItem(nowMs)],
    }),
  ),
  shape("entries", "must", "entries of several accounts and kinds", "Meta groups the updates of an app.", (nowMs) =>
    bodyOf(messagingEntry(nowMs, messageItem(nowMs)), changesEntry(nowMs, commentChange()), {
      ...messagingEntry(nowMs, messageItem(nowMs)),
      id: "17841400000000002",
    }),
  ),
  shape("entry-first", "must", "keys in another order", "Comments arrive with entry before object.", (nowMs) =>
    write({ entry: [changesEntry(nowMs, commentChange())], object: "instagram" }),
  ),
  accepts({
    id: "container.dashboard-test",
    level: "must",
    checks: "accepted, twice: the delivery of the dashboard's Test button",
    why: "It has account 0, a message in changes and a time as text, and is the same each time.",
    send: ({ clock }) => {
      const value = {
        sender: { id: "12334" },
        recipient: { id: "23245" },
        timestamp: "1527459824",
        message: { mid: "random_mid", text: "random_text" },
      };
      const body = bodyOf({ ...changesEntry(clock.nowMs(), { field: "messages", value }), id: "0" });
      return [{ body }, { body }];
    },
  }),
  shape("unknown-field", "must", "an unknown field", "Meta adds fields without notice.", (nowMs) =>
    bodyOf(changesEntry(nowMs, { field: "brand_new_field", value: { id: objectId() } })),
  ),
  shape(
    "unknown-item",
    "must",
    "an item with an unknown key only",
    "Meta adds kinds of events without notice.",
    (nowMs) => bodyOf(messagingEntry(nowMs, item(nowMs, { brand_new_thing: { id: objectId() } }))),
  ),
  shape("unknown-attachment", "must", "an attachment of an unknown type", "Meta added one in 2025.", (nowMs) =>
    bodyOf(messagingEntry(nowMs, messageItem(nowMs, { attachments: [{ type: "hologram" }] }))),
  ),
  shape("no-sender", "must", "items without sender or recipient", "Seen in edits, roles and policy notices.", (nowMs) =>
    bodyOf(
      messagingEntry(
        nowMs,
        { timestamp: nowMs, message_edit: { mid: mid(), num_edit: 0 } },
        { recipient: { id: accountId }, timestamp: nowMs, app_roles: { "100000000000001": ["primary_receiver"] } },
      ),
    ),
  ),
  shape("no-text", "must", "a comment without text", "Stickers and GIFs have none.", (nowMs) =>
    bodyOf(changesEntry(nowMs, { field: "comments", value: comment("REELS") })),
  ),
  shape("no-entries", "must", "an empty list of entries", "Seen in recordings of other receivers.", () => bodyOf()),
  shape("bare-entry", "must", "an entry without events", "Seen in recordings of other receivers.", (nowMs) =>
    bodyOf({ id: accountId, time: nowMs }),
  ),
  shape("changed-fields", "should", "names of fields without values", "Sent while Include Values is off.", (nowMs) =>
    bodyOf({ id: accountId, time: nowMs, changed_fields: ["comments"] }),
  ),
  shape(
    "loose-types",
    "should",
    "ids as numbers, times as text, no time",
    "Meta's pages show each of these.",
    (nowMs) =>
      bodyOf(
        { id: 17841400000000, messaging: [{ ...messageItem(nowMs), timestamp: String(nowMs) }] },
        { ...messagingEntry(nowMs, { ...messageItem(nowMs), sender: { id: 100000000000000 } }), time: String(nowMs) },
      ),
  ),
  shape(
    "nulls",
    "should",
    "null in place of objects, lists and ids",
    "The signature is valid. Unless the receiver keeps what it does not know, Meta repeats it and then gives up.",
    (nowMs) =>
      bodyOf(
        null,
        { id: null, time: null, messaging: null, changes: [null, { field: null, value: null }] },
        messagingEntry(nowMs, null),
      ),
  ),
  shape("array", "should", "an array of envelopes", "Meta's examples page shows some samples so.", (nowMs) =>
    write([envelope(messagingEntry(nowMs, messageItem(nowMs))), envelope(changesEntry(nowMs, commentChange()))]),
  ),
  shape("bare-change", "should", "a change without its envelope", "The dashboard shows its samples so.", () =>
    write(commentChange()),
  ),
  shape("other-object", "should", "another product's webhook", "An app's products share one address.", (nowMs) =>
    write({ ...envelope(messagingEntry(nowMs, messageItem(nowMs))), object: "page" }),
  ),
];
