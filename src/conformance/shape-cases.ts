import { accountId, mid, objectId, payloadKinds, userId } from "./payloads.ts";
import { accepts, type ConformanceCase, type Level } from "./conformance-case.ts";
import {
  bodyOf,
  change,
  changesEntry,
  envelope,
  item,
  kindBody,
  message,
  messagingEntry,
  write,
} from "./deliveries.ts";

const kept = "It is signed: what a receiver does not know it should keep, or Meta repeats it and then gives up.";

/** One delivery of every kind of event that Meta documents. */
export const kindCases: ConformanceCase[] = payloadKinds.map((kind) =>
  accepts({
    id: `kind.${kind}`,
    level: "must",
    checks: `taken: an event of kind ${kind}`,
    why: "Subscribing an account to one field brings all fields the app is subscribed to.",
    send: ({ clock }) => ({ body: kindBody(kind, clock.nowMs()) }),
  }),
);

/** https://developers.facebook.com/docs/instagram-platform/webhooks/examples and what has been seen on the wire. */
export const containerCases: ConformanceCase[] = [
  shape("standby", "must", "events in standby", "Copies come there while another app has the conversation.", (nowMs) =>
    bodyOf({ id: accountId, time: nowMs, standby: [item(nowMs)] }),
  ),
  shape("flat", "must", "a field and its value right on the entry", "Meta's pages draw comments like this.", (nowMs) =>
    bodyOf({ id: accountId, time: Math.floor(nowMs / 1000), ...change() }),
  ),
  shape(
    "message-as-change",
    "must",
    "a message in changes",
    "Meta's field reference describes all fields so.",
    (nowMs) => bodyOf(changesEntry(nowMs, { field: "messages", value: item(nowMs) })),
  ),
  shape("mixed", "must", "several containers in one entry", "Nothing says that they exclude one another.", (nowMs) =>
    bodyOf({ ...changesEntry(nowMs, change()), ...messagingEntry(nowMs, item(nowMs)), standby: [item(nowMs)] }),
  ),
  shape("entries", "must", "entries of several accounts and kinds", "Meta gathers what is due for an app.", (nowMs) =>
    bodyOf(messagingEntry(nowMs, item(nowMs)), changesEntry(nowMs, change()), {
      ...messagingEntry(nowMs, item(nowMs)),
      id: "17841400000000002",
    }),
  ),
  shape("entry-first", "must", "keys in another order", "Comments come with entry before object.", (nowMs) =>
    write({ entry: [changesEntry(nowMs, change())], object: "instagram" }),
  ),
  accepts({
    id: "container.dashboard-test",
    level: "must",
    checks: "taken, twice: the dashboard's Test button",
    why: "It sends account 0, a message in changes and a time in text, the same each time.",
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
  shape("unknown-field", "must", "a field nobody knows yet", "Meta adds fields without asking.", (nowMs) =>
    bodyOf(changesEntry(nowMs, { field: "brand_new_field", value: { id: objectId() } })),
  ),
  shape(
    "unknown-item",
    "must",
    "an item with no key anybody knows",
    "Meta adds kinds of events without asking.",
    (nowMs) => bodyOf(messagingEntry(nowMs, item(nowMs, { brand_new_thing: { id: objectId() } }))),
  ),
  shape(
    "unknown-attachment",
    "must",
    "an attachment of an unknown type",
    "Post shares got a new type in 2025.",
    (nowMs) =>
      bodyOf(messagingEntry(nowMs, item(nowMs, { message: message({ attachments: [{ type: "hologram" }] }) }))),
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
  shape("no-text", "must", "a comment without text", "Stickers and GIFs have none.", (nowMs) => {
    const media = { id: objectId(), media_product_type: "REELS" };
    const value = { id: objectId(), from: { id: userId(), username: "someone" }, media };
    return bodyOf(changesEntry(nowMs, { field: "comments", value }));
  }),
  shape("no-entries", "must", "an empty list of entries", "Seen in other receivers' recordings.", () => bodyOf()),
  shape("bare-entry", "must", "an entry with nothing in it", "Seen in other receivers' recordings.", (nowMs) =>
    bodyOf({ id: accountId, time: nowMs }),
  ),
  shape("changed-fields", "should", "names of fields without values", "So it is with Include Values off.", (nowMs) =>
    bodyOf({ id: accountId, time: nowMs, changed_fields: ["comments"] }),
  ),
  shape(
    "loose-types",
    "should",
    "ids as numbers, times as text, no time",
    "Meta's pages show each of these.",
    (nowMs) =>
      bodyOf(
        { id: 17841400000000, messaging: [{ ...item(nowMs), timestamp: String(nowMs) }] },
        { ...messagingEntry(nowMs, { ...item(nowMs), sender: { id: 100000000000000 } }), time: String(nowMs) },
      ),
  ),
  shape("nulls", "should", "null where something should be", kept, (nowMs) =>
    bodyOf(
      null,
      { id: null, time: null, messaging: null, changes: [null, { field: null, value: null }] },
      messagingEntry(nowMs, null),
    ),
  ),
  shape("array", "should", "an array of envelopes", "Meta's examples page wraps some samples so.", (nowMs) =>
    write([envelope(messagingEntry(nowMs, item(nowMs))), envelope(changesEntry(nowMs, change()))]),
  ),
  shape("bare-change", "should", "a change without its envelope", "The dashboard shows its samples so.", () =>
    write(change()),
  ),
  shape(
    "other-object",
    "should",
    "another product's webhook",
    "An app has one address for several products.",
    (nowMs) => write({ ...envelope(messagingEntry(nowMs, item(nowMs))), object: "page" }),
  ),
];

function shape(
  name: string,
  level: Level,
  checks: string,
  why: string,
  build: (nowMs: number) => string,
): ConformanceCase {
  return accepts({
    id: `container.${name}`,
    level,
    checks: `taken: ${checks}`,
    why,
    send: ({ clock }) => ({ body: build(clock.nowMs()) }),
  });
}
