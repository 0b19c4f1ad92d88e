import * as fc from "fast-check";

/** JSON numbers as they are written: some have no value in a double, some are a time in no unit that we know. */
const literals = [
  ..."0 -0 -1 0.1 1e11 99999999999 1e14 1790000000000000 1790000000000000000 99999999999999999999 1e20 1e300 1e999".split(
    " ",
  ),
  ..."-1e999 2147483648 -2147483649 253402300799999 253402300800000 8.64e15 8640000000000001 9007199254740993".split(
    " ",
  ),
  ..."1790000000.123456 1790000000000.5 -1790000000000 9223372036854775808 18446744073709551616 5e-324".split(" "),
];

const texts = [
  ..."true|false|True|1|0|null|undefined|NaN|Infinity|-1|1e999|1790000000000000|1790000000.5|[object Object]".split(
    "|",
  ),
  ..."9999-12-31T23:59:59-2300|0000-01-01T00:00:00Z|2021-99-99T99:99:99Z|infinity|epoch|__proto__|\\|'|$1|%s".split(
    "|",
  ),
  "",
  " ",
  "\0",
  "a\0b",
  "\ud83d",
  "\udc00\ud83d",
  "\ufeff",
  "\u2028",
  "9".repeat(400),
  "x".repeat(10_000),
  "é🚀".repeat(2_000),
];

/** Stands for a number that `JSON.stringify` would not write. */
const mark = "\u0001number:";
const number = fc.constantFrom(...literals).map((literal) => mark + literal);
const scalar = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 4, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 30 }).filter((text) => !text.includes(mark)) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false) },
);
const odd: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.oneof(fc.constantFrom("id", "mid", "__proto__"), fc.string()), scalar) },
  { weight: 1, arbitrary: scalar.map((value) => nest(value, 60)) },
  { weight: 1, arbitrary: scalar.map((value) => nest(value, 500)) },
);

/** Mostly as it should be, so that one odd value at a time is the usual case; sometimes missing. */
const usually = (value: unknown) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(value) },
    { weight: 3, arbitrary: odd },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
const fields = (members: Record<string, unknown>) =>
  fc.record(Object.fromEntries(Object.entries(members).map(([name, value]) => [name, usually(value)])));

const account = "17841400000000001";
const sides = { sender: fields({ id: "1000000000000102" }), recipient: fields({ id: account }) };
const itemWith = (name: string, members: Record<string, unknown>) =>
  fc.record({ ...sides, timestamp: usually(1_700_000_000_000), [name]: fields(members) });

const flags = { is_echo: false, is_deleted: false, is_unsupported: false, is_self: false };
const items = fc.oneof(
  itemWith("message", { mid: "odd-message", text: "hi", attachments: [{ type: "image" }], reply_to: {}, ...flags }),
  itemWith("message_edit", { mid: "odd-edit", text: "hi", num_edit: 1 }),
  itemWith("reaction", { mid: "odd-reaction", action: "react", reaction: "love", emoji: "❤" }),
  itemWith("read", { mid: "odd-read" }),
  itemWith("postback", { mid: "odd-postback", title: "t", payload: "p", referral: {} }),
  itemWith("referral", { ref: "r", source: "ADS", type: "OPEN_THREAD", ad_id: "1" }),
  itemWith("optin", { type: "notification_messages", token_expiry_timestamp: 1_700_000_000_000 }),
  itemWith("take_thread_control", { previous_owner_app_id: null, new_owner_app_id: "2", metadata: "m" }),
  itemWith("policy_enforcement", { action: "warning", reason: "r" }),
  itemWith("response_feedback", { feedback: "Good response", mid: "m" }),
);
const changes = fc.oneof(
  fc.record({
    field: usually("comments"),
    value: fields({ id: "1", from: { id: "2" }, media: { id: "3" }, text: "t" }),
  }),
  fc.record({ field: usually("mentions"), value: fields({ media_id: "1", comment_id: "2" }) }),
  fc.record({ field: usually("story_insights"), value: fields({ media_id: "1", impressions: 5, reach: -1 }) }),
  fc.record({ field: usually("novelty"), value: odd }),
);

const entry = fc.record({
  id: usually(account),
  time: usually(1_700_000_000_500),
  messaging: usually([]).chain((value) =>
    fc.oneof(fc.constant(value), fc.array(items, { minLength: 1, maxLength: 2 })),
  ),
  changes: usually([]).chain((value) => fc.oneof(fc.constant(value), fc.array(changes, { maxLength: 2 }))),
});

/** A delivery with odd values in its fields, and beside them one ordinary message, whose id is the argument. */
export const oddDelivery: fc.Arbitrary<(innocentMid: string) => string> = fc
  .tuple(fc.array(entry, { minLength: 1, maxLength: 2 }), fc.nat())
  .map(([entries, at]) => (innocentMid) => {
    const item = {
      sender: { id: "1000000000000101" },
      recipient: { id: account },
      timestamp: 1_700_000_000_000,
      message: { mid: innocentMid, text: "hello" },
    };
    const all: unknown[] = [...entries];
    all.splice(at % (all.length + 1), 0, { id: account, time: 1_700_000_000_500, messaging: [item] });
    return JSON.stringify({ object: "instagram", entry: all }).replaceAll(/"\\u0001number:([^"]*)"/g, "$1");
  });

function nest(value: unknown, levels: number): unknown {
  let nested = value;
  for (let level = 0; level < levels; level += 1) nested = level % 2 === 0 ? [nested] : { deep: nested };
  return nested;
}
