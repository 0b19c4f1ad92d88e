import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import type { Database } from "#store/database.ts";
import { storeBatch } from "#store/store-batch.ts";

import { edit, type Item, message, reaction, reading, toEvent, unsending } from "../support/messaging.ts";
import { openTestStore, testBatch, toStore } from "../support/store.ts";

/** Everything that happens to one message. What is optional may not come, or come before the message itself. */
interface Story {
  outbound: boolean;
  atMs: number;
  arrives: boolean;
  kind: "message" | "unsupported" | "postback";
  attachments: string[];
  replyTo: number | null;
  edits: number[];
  isUnsent: boolean;
  reactions: { outbound: boolean; emoji: string | null; atMs: number }[];
  readAtMs: number[];
}

const startMs = 1_700_000_000_000;
/** Few moments, so that different things happen at the same one. */
const moment = fc.integer({ min: 0, max: 12 }).map((step) => startMs + step * 1_000);

const story: fc.Arbitrary<Story> = fc.record({
  outbound: fc.boolean(),
  atMs: moment,
  arrives: fc.integer({ min: 0, max: 5 }).map((die) => die > 0),
  kind: fc.constantFrom("message", "message", "unsupported", "postback"),
  attachments: fc.array(fc.constantFrom("image", "share"), { maxLength: 2 }),
  replyTo: fc.option(fc.nat(4)),
  edits: fc.uniqueArray(fc.integer({ min: 1, max: 11 }), { maxLength: 3 }),
  isUnsent: fc.integer({ min: 0, max: 3 }).map((die) => die === 0),
  reactions: fc.array(
    fc.record({ outbound: fc.boolean(), emoji: fc.option(fc.constantFrom("❤️", "😮")), atMs: moment }),
    { maxLength: 4 },
  ),
  readAtMs: fc.array(moment, { maxLength: 2 }),
});

const midOf = (index: number) => `mid.${index}`;

function itemsOf({ outbound, atMs, ...rest }: Story, index: number): Item[] {
  const mid = midOf(index);
  const items: Item[] = [];
  if (rest.arrives) {
    const more = {
      ...(rest.attachments.length > 0 && {
        attachments: rest.attachments.map((type) => ({ type, payload: { url: "https://x" } })),
      }),
      ...(rest.replyTo !== null && { reply_to: { mid: midOf(rest.replyTo) } }),
      ...(outbound && { is_echo: true }),
      ...(rest.kind === "unsupported" && { is_unsupported: true }),
    };
    const isPostback = rest.kind === "postback" && !outbound;
    items.push({
      outbound,
      atMs,
      part: isPostback ? { postback: { mid, title: `text ${index}` } } : message(mid, `text ${index}`, more),
    });
  }
  for (const number of rest.edits)
    items.push({ outbound, atMs: atMs + number, part: edit(mid, `text ${index}, edited ${number}`, number) });
  if (rest.isUnsent) items.push({ outbound, atMs: atMs + 99, part: unsending(mid) });
  for (const { emoji, ...by } of rest.reactions) items.push({ ...by, part: reaction(mid, emoji) });
  for (const at of rest.readAtMs) items.push({ atMs: at, part: reading(mid) });
  return items;
}

/** What the views show in the end, by a plain reading of the stories. */
function expectedMessages(stories: readonly Story[], keep: boolean) {
  const known = stories
    .map((one, index) => ({ ...one, index }))
    .filter(({ arrives, edits, isUnsent }) => arrives || edits.length > 0 || isUnsent);
  const readings = stories.flatMap(({ atMs, arrives, readAtMs }) => {
    if (readAtMs.length === 0) return [];
    const read = Math.min(...readAtMs);
    return [{ upToMs: arrives ? atMs : read, read }];
  });
  return known.map(({ index, outbound, atMs, arrives, kind, isUnsent, edits, ...rest }) => {
    const isPostback = kind === "postback" && !outbound;
    const isGone = isUnsent && !keep;
    const number = Math.max(0, ...edits);
    const text = number > 0 ? `text ${index}, edited ${number}` : arrives ? `text ${index}` : null;
    // Of a message that never came only its own reading says when it was read.
    const own = rest.readAtMs.length > 0 ? Math.min(...rest.readAtMs) : null;
    const position = arrives ? atMs : own;
    const seen = position === null ? [] : readings.filter(({ upToMs }) => upToMs >= position).map(({ read }) => read);
    return {
      message_id: midOf(index),
      direction: outbound ? "outbound" : "inbound",
      sent_at: arrives ? atMs : null,
      text: isGone ? null : text,
      edits: number,
      unsent: isUnsent,
      attachments: arrives && !isGone && !isPostback ? rest.attachments : [],
      reply_to: arrives && !isGone && !isPostback && rest.replyTo !== null ? midOf(rest.replyTo) : null,
      reactions: expectedReactions(rest.reactions),
      read_at: outbound && seen.length > 0 ? Math.min(...seen) : null,
    };
  });
}

function expectedReactions(reactions: Story["reactions"]) {
  const latest = (outbound: boolean) =>
    reactions
      .filter((one) => one.outbound === outbound)
      .toSorted(byTimeAndKey)
      .at(-1)?.emoji;
  const [theirs, ours] = [latest(false), latest(true)];
  return { ...(theirs && { person: theirs }), ...(ours && { account: ours }) };
}

type Reaction = Story["reactions"][number];

/** The key ends in action, emoji and time; of two reactions at one moment `unreact` comes last. */
function byTimeAndKey(a: Reaction, b: Reaction): number {
  const keyOf = ({ emoji }: Reaction) =>
    emoji === null ? "unreact:" : `react:${[...emoji].map((point) => point.codePointAt(0)?.toString(16)).join("-")}`;
  return a.atMs - b.atMs || (keyOf(a) < keyOf(b) ? -1 : 1);
}

type Expected = ReturnType<typeof expectedMessages>;

function expectedConversation(messages: Expected) {
  const shown = messages.filter(({ unsent }) => !unsent);
  const times = (direction: string) =>
    shown.flatMap((one) => (one.direction === direction && one.sent_at !== null ? [one.sent_at] : []));
  const answeredAt = Math.max(-Infinity, ...times("outbound"));
  const last = shown.toSorted(
    (a, b) => (b.sent_at ?? -1) - (a.sent_at ?? -1) || (a.message_id < b.message_id ? -1 : 1),
  )[0];
  const reads = messages.flatMap(({ read_at: at }) => at ?? []);
  return {
    last_message_at: last?.sent_at ?? null,
    last_message_id: last?.message_id ?? null,
    last_text: last?.text ?? null,
    messages: shown.length,
    unanswered: shown.filter(
      ({ direction, sent_at: at }) =>
        direction === "inbound" && (answeredAt === -Infinity || (at !== null && at > answeredAt)),
    ).length,
    unread: shown.filter(({ direction, read_at: at }) => direction === "outbound" && at === null).length,
    last_read_at: reads.length > 0 ? Math.max(...reads) : null,
  };
}

const inMs = (column: string) => `(extract(epoch from ${column}) * 1000)::float8 as ${column}`;

async function readMessages(db: Database, account: string, person: string) {
  const { rows } = await db.$client.query<Expected[number]>(
    `select message_id, direction, ${inMs("sent_at")}, text, edits, unsent, attachments, reply_to, reactions, ${inMs("read_at")}
    from relay.messages where account_id = $1 and person_id = $2 order by message_id`,
    [account, person],
  );
  return rows;
}

async function readConversation(db: Database, account: string, person: string) {
  const { rows } = await db.$client.query(
    `select ${inMs("last_message_at")}, last_message_id, last_text, messages, unanswered, unread, ${inMs("last_read_at")}
    from relay.conversations where account_id = $1 and person_id = $2`,
    [account, person],
  );
  return rows;
}

let deliveries = 0;
async function store(db: Database, events: InstagramEvent[], unsentMessages: "erase" | "keep" = "erase") {
  await storeBatch(db, { ...toStore(testBatch(`d${++deliveries}`, events)), unsentMessages });
}

describe("the views of conversations", () => {
  test("show the same for every order and grouping in which the events arrive", { timeout: 60_000 }, async () => {
    const { db } = await openTestStore();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(story, { minLength: 1, maxLength: 5 }).chain((stories) => {
          const items = stories.flatMap((one, index) => itemsOf(one, index));
          const arrival = fc.array(fc.record({ item: fc.nat(Math.max(0, items.length - 1)), standby: fc.boolean() }), {
            maxLength: 8,
          });
          const order = fc.shuffledSubarray(
            items.map((_, index) => index),
            { minLength: items.length, maxLength: items.length },
          );
          return fc.record({
            stories: fc.constant(stories),
            items: fc.constant(items),
            order,
            repeated: arrival,
            sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }),
            keep: fc.boolean(),
          });
        }),
        async ({ stories, items, order, repeated, sizes, keep }) => {
          const account = `1784140000${++runs}`;
          const person = `10000${runs}`;
          const arrivals = [...order.map((item) => ({ item, standby: item % 3 === 0 })), ...repeated];
          // Repeated ones come anywhere.
          const mixed = repeated.length % 2 === 0 ? arrivals : arrivals.toReversed();
          const events = await Promise.all(
            mixed.flatMap(({ item, standby }) =>
              items[item] === undefined ? [] : [toEvent({ ...items[item], standby, account, person })],
            ),
          );
          for (let at = 0, turn = 0; at < events.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            await store(db, events.slice(at, at + size), keep ? "keep" : "erase");
            at += size;
          }
          const expected = expectedMessages(stories, keep).map((one) => ({
            ...one,
            reactions: Object.fromEntries(
              Object.entries(one.reactions).map(([by, emoji]) => [by === "person" ? person : account, emoji]),
            ),
          }));
          expect(await readMessages(db, account, person)).toEqual(expected);
          expect(await readConversation(db, account, person)).toEqual(
            expected.length === 0 ? [] : [expectedConversation(expected as Expected)],
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
