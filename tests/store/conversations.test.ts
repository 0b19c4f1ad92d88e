import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import type { Database } from "#store/connection/database.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import {
  type Expected,
  expectedConversation,
  expectedMessages,
  itemsOf,
  startMs,
  story,
} from "../support/conversation-story.ts";
import { edit, type Item, message, reaction, toEvent } from "../support/messaging.ts";
import { openTestStore, testBatch, toStore } from "../support/store.ts";

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

  const account = "17841400000000001";
  const person = "1000000000000101";
  const at = (step: number, part: Item["part"], more: Partial<Item> = {}): Item => ({
    atMs: startMs + step,
    part,
    ...more,
  });
  const storeItems = async (db: Database, items: Item[]) => store(db, await Promise.all(items.map(toEvent)));

  test("show messages whose data has NUL, half an emoji, backslashes or odd shapes", async () => {
    const { db } = await openTestStore();
    const texts = ["a\0b", "\ud83d alone", "\\u0000 \\ud83d spelled out", "\\\0", "\ud83d\ude80 whole", "\ud800\ud800"];
    await storeItems(db, [
      ...texts.map((text, index) => at(index, message(`m${index}`, text))),
      at(6, { message: { mid: "m6", text: 7, attachments: "none", reply_to: [] } }),
      at(7, { message: { mid: "m7", text: { deep: true }, attachments: [null, { type: "image" }, 3] } }),
      at(8, { message: { mid: "mid with spaces", text: "hashed key" } }),
      at(9, { message_edit: { mid: "m0", text: "x\0y", num_edit: "many" } }),
    ]);
    const rows = await readMessages(db, account, person);
    expect(rows.map(({ message_id: id, text, attachments }) => [id, text, attachments])).toEqual([
      ["m0", "x\ufffdy", []],
      ["m1", "\ufffd alone", []],
      ["m2", "\\u0000 \\ud83d spelled out", []],
      ["m3", "\\\ufffd", []],
      ["m4", "\ud83d\ude80 whole", []],
      ["m5", "\ufffd\ufffd", []],
      ["m6", "7", []],
      ["m7", '{"deep":true}', [null, "image", null]],
      ["mid with spaces", "hashed key", []],
    ]);
  });

  test("leave out dashboard tests, items without a person, and people who were erased", async () => {
    const { db } = await openTestStore();
    await storeItems(db, [
      at(1, message("m1", "of a test"), { account: "0" }),
      at(2, edit("m2", "", 0), { anonymous: true }),
      at(3, message("m3", "to oneself"), { person: account }),
      at(4, message("m4", "erased")),
      at(5, message("m5", "stays"), { person: "1000000000000102" }),
    ]);
    await db.$client.query("update relay.events set sender_id = null where sender_id = $1", [person]);
    const { rows } = await db.$client.query("select text from relay.messages");
    expect(rows).toEqual([{ text: "stays" }]);
  });

  test("show no text after retention has erased the payload", async () => {
    const { db } = await openTestStore();
    await storeItems(db, [
      at(1, message("m1", "words")),
      at(2, edit("m1", "other words", 1)),
      at(3, reaction("m1", "❤️")),
    ]);
    await db.$client.query(`update relay.events set data = '{"erased":"retention"}', erased_at = now()`);
    expect(await readMessages(db, account, person)).toMatchObject([
      { message_id: "m1", text: null, edits: 1, unsent: false, reactions: {} },
    ]);
  });

  test("the newest conversations come first, and only those with a message since", async () => {
    const { db } = await openTestStore();
    await storeItems(db, [
      at(1, message("m1", "first"), { person: "101" }),
      at(3, message("m2", "third"), { person: "102" }),
      at(2, message("m3", "second"), { person: "103", outbound: true }),
      at(9, reaction("m9", "❤️"), { person: "104" }),
      at(4, message("m4", "elsewhere"), { account: "17841400000000002" }),
    ]);
    const newest = async (since: string, countMax: number) =>
      (
        await db.$client.query(`select person_id from relay.newest_conversations($1, ${since}, $2)`, [
          account,
          countMax,
        ])
      ).rows.map((row) => (row as { person_id: string }).person_id);
    expect(await newest("now() - interval '1 hour'", 10)).toEqual(["102", "103", "101"]);
    expect(await newest("now() - interval '1 hour'", 2)).toEqual(["102", "103"]);
    expect(await newest("now() + interval '1 hour'", 10)).toEqual([]);
  });

  test("read one conversation, and what an account's newest ones are made of, by indexes", async () => {
    const { db, pool } = await openTestStore();
    await storeItems(db, [at(1, message("m1", "words"))]);
    const client = await pool.connect();
    await client.query("set enable_seqscan = off");
    for (const view of ["messages", "conversations"]) {
      const { rows } = await client.query<{ "QUERY PLAN": string }>(
        `explain select * from relay.${view} where account_id = '${account}' and person_id = '${person}'`,
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).not.toContain("Seq Scan");
      expect(plan).toContain(`(sender_id = '${person}'::text)`);
      expect(plan).toContain(`(recipient_id = '${person}'::text)`);
    }
    client.release(true);
  });
});
