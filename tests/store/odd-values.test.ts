import { asc, eq, getTableColumns, sql } from "drizzle-orm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { encodeBatches } from "#queue/encode-batch.ts";
import { qstashBytesMax } from "#queue/qstash/qstash-publisher.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";
import { events } from "#store/schema/event-schema.ts";
import { driftFindings } from "#store/schema/figures-schema.ts";

import { oddDelivery } from "../support/odd-delivery.ts";
import { createReceiver } from "../support/receiver.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

/** `npm run fuzz` asks for a tenth of its 100,000; in the usual run it is a sample. */
const cases = Number(process.env["FUZZ_CASES"] ?? 4_000) / 10;
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_126);
/** As many deliveries at a time as there are connections. */
const together = 10;

const day = "2023-11-14T22:13:20.000Z";

describe("a signed delivery with an odd value in any field", () => {
  test(`is stored whole, its innocent event as it is, ${cases.toLocaleString("en")} times`, async () => {
    const { db, pool } = await openTestStore();
    const regions = [null, "fra1", "a\0b", "\ud83d".repeat(300)];
    const bodies = fc.sample(oddDelivery, { numRuns: cases, seed });
    const keys = new Set<string>();
    let [inserted, reduced] = [0, 0];
    for (let at = 0; at < bodies.length; at += together) {
      const group = bodies.slice(at, at + together).map(async (write, offset) => {
        const number = at + offset;
        const body = write(`innocent-${number}`);
        const fault = `case ${number} of seed ${seed}: ${body.slice(0, 2_000)}`;
        const received = await createReceiver(regions[number % regions.length]).deliver(
          new TextEncoder().encode(body),
          fault,
        );
        const {
          events: parsed,
          traceparent: _traceparent,
          ...facts
        } = { ...received, id: `d${number}`, publishStartedAtMs: null };
        const stored = await Promise.all(
          encodeBatches(facts, parsed, qstashBytesMax).map((batch) =>
            store(db, decodeBatch(new TextDecoder().decode(batch.body))),
          ),
        );
        for (const { key } of parsed) keys.add(key);
        inserted += stored.reduce((sum, one) => sum + one.inserted, 0);
        reduced += stored.reduce((sum, one) => sum + one.reduced, 0);
      });
      await Promise.all(group);
    }
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::int as count from relay.events where key like 'message:17841400000000001:innocent-%' and kind = 'message'
       and occurred_at = '${day}' and sender_id = '1000000000000101' and not drifted and data->'message'->>'text' = 'hello'`,
    );
    expect(rows).toEqual([{ count: cases }]);
    expect(inserted).toBe(keys.size);
    // What the parser hands on, Postgres takes: nothing of it needs the second try.
    expect(reduced).toBe(0);
  }, 600_000);
});

test("a time in microseconds and a flag given as a word are understood and counted as drift", async () => {
  const { db } = await openTestStore();
  const [account, user] = ["17841400000000001", "1200000000000007"];
  const item = (timestamp: number, message: Record<string, unknown>) => ({
    sender: { id: user },
    recipient: { id: account },
    timestamp,
    message: { mid: "m1", ...message },
  });
  const messaging = [
    item(1_790_000_000_000, { mid: "m0", text: "ordinary" }),
    item(1_790_000_000_000_000, { text: "in microseconds" }),
    item(1_790_000_000_001, { is_deleted: "true" }),
  ];
  const entry = [{ id: account, time: "1790000000000000", messaging }];
  const body = JSON.stringify({ object: "instagram", entry });
  const received = await createReceiver().deliver(new TextEncoder().encode(body), body);
  for (const batch of encodeBatches({ ...received, publishStartedAtMs: null }, received.events, qstashBytesMax)) {
    await store(db, decodeBatch(new TextDecoder().decode(batch.body)));
  }
  const rows = await db
    .select({ key: events.key, at: events.occurredAt, sentAt: events.sentAt, drifted: events.drifted })
    .from(events)
    .orderBy(asc(events.key));
  const [at, sentAt] = [new Date(1_790_000_000_000), new Date(1_790_000_000_000)];
  expect(rows).toEqual([
    { key: `message.deleted:${account}:m1`, at: new Date(1_790_000_000_001), sentAt, drifted: true },
    { key: `message:${account}:m0`, at, sentAt, drifted: false },
    { key: `message:${account}:m1`, at, sentAt, drifted: true },
  ]);
  const found = await db
    .selectDistinct({ path: driftFindings.path, shape: driftFindings.shape })
    .from(driftFindings)
    .orderBy(asc(driftFindings.path));
  expect(found).toEqual([
    { path: "entry.time", shape: "string" },
    { path: "message.is_deleted", shape: "string" },
    { path: "timestamp", shape: "number" },
  ]);
});

describe("storeBatch()", () => {
  test.each<[string, Partial<Parameters<typeof testEvent>[1]>]>([
    ["a time in microseconds, from an edge that did not know better", { occurredAtMs: 1_790_000_000_000_000 }],
    ["the last instant of a Date", { sentAtMs: 8.64e15 }],
    ["NUL in every id", { accountId: "\0", senderId: "a\0", recipientId: "\0b" }],
    ["ids of a megabyte", { accountId: "é".repeat(1_000_000), senderId: "🚀".repeat(500_000) }],
    ["text beyond any limit", { data: { message: { mid: "m", text: "x".repeat(5_000_000) } } }],
  ])("stores an event with %s unchanged except for its search columns", async (_name, overrides) => {
    const { db } = await openTestStore();
    const odd = testEvent("odd", overrides);
    const result = await store(db, wire(testBatch("d1", [testEvent("a"), odd, testEvent("b")])));
    expect(result).toMatchObject({ inserted: 3, reduced: 0 });
    expect(JSON.parse((await rowOf(db, odd.key))?.data ?? "")).toEqual(odd.data);
  });

  test("stores a delivery with facts that its columns cannot hold", async () => {
    const { db } = await openTestStore();
    const batch = testBatch("d1", [testEvent("a")]);
    const facts = { region: "a\0\ud83d".repeat(500), receivedAtMs: 8.64e15, bodyBytes: 1e12 };
    await store(db, { ...batch, delivery: { ...batch.delivery, ...facts } });
    expect(await db.select().from(deliveries)).toMatchObject([{ id: deliveryUuid("d1"), bodyBytes: 2_147_483_647 }]);
  });

  test("keeps data that nests deeper than Postgres can read as text, and marks it as drifted", async () => {
    const { db } = await openTestStore();
    const depth = 50_000;
    const text = `{"deep":${"[".repeat(depth)}"é\\u0000",2${"]".repeat(depth)},"list":[1,[],{}]}`;
    const body = JSON.stringify(testBatch("d1", [testEvent("a"), testEvent("deep", { data: "here" })]));
    const result = await store(db, decodeBatch(body.replace('"here"', text)));
    expect(result).toMatchObject({ inserted: 2, reduced: 1 });
    const row = await rowOf(db, "message:1:deep");
    expect(JSON.parse(row?.data ?? "")).toBe(text);
    expect(row).toMatchObject({ drifted: true, accountId: "1", senderId: "user" });
    expect(await db.select().from(driftFindings)).toMatchObject([{ path: "$", finding: "mismatch", shape: "string" }]);
  });

  test("drops the search columns of an event that Postgres refuses, and nothing of the others", async () => {
    const { db, pool } = await openTestStore();
    await pool.query("alter table relay.events add constraint no_such_sender check (sender_id <> 'refused')");
    const mids = Array.from({ length: 200 }, (_, index) => `m${index}`);
    const refused = new Set(["m0", "m77", "m78", "m199"]);
    const batch = testBatch(
      "d1",
      mids.map((mid) => testEvent(mid, { senderId: refused.has(mid) ? "refused" : "user" })),
    );
    expect(await store(db, batch)).toMatchObject({ inserted: 200, duplicates: 0, reduced: 4 });
    expect(await store(db, batch)).toMatchObject({ inserted: 0, duplicates: 200, reduced: 0 });
    const reduced = await db
      .select({ key: events.key })
      .from(events)
      .where(eq(events.accountId, ""))
      .orderBy(asc(events.key));
    expect(reduced.map(({ key }) => key)).toEqual([...refused].map((mid) => `message:1:${mid}`).toSorted());
    const row = await rowOf(db, "message:1:m0");
    expect(row).toMatchObject({ senderId: null, recipientId: null, occurredAt: null, sentAt: null, drifted: false });
    expect(JSON.parse(row?.data ?? "")).toEqual(testEvent("m0").data);
    expect(await db.$count(events, eq(events.senderId, "user"))).toBe(196);
  });

  test("keeps data that Postgres refuses as text, also if it refuses a search column too", async () => {
    const { db, pool } = await openTestStore();
    await pool.query(
      "alter table relay.events add constraint no_such_words check (json_typeof(data) = 'string' or data::text not like '%refused%')",
    );
    const data = { message: { mid: "x", text: "refused" } };
    const both = testEvent("both", { data });
    const batch = testBatch("d1", [testEvent("a"), testEvent("data", { data }), both]);
    await pool.query(
      "alter table relay.events add constraint no_such_key check (key <> 'message:1:both' or account_id = '')",
    );
    expect(await store(db, batch)).toMatchObject({ inserted: 3, reduced: 2 });
    const row = await rowOf(db, "message:1:data");
    expect(row).toMatchObject({ drifted: true, accountId: "1", senderId: "user" });
    expect(JSON.parse(JSON.parse(row?.data ?? "") as string)).toEqual(data);
    expect(await rowOf(db, both.key)).toMatchObject({ drifted: true, accountId: "", senderId: null });
  });
});

function store(db: Database, batch: Batch) {
  return storeBatch(db, toStore(batch), systemClock);
}

/** The batch as the consumer has it. */
function wire(batch: Batch): Batch {
  return decodeBatch(JSON.stringify(batch));
}

/** The row with its data as text, letter for letter. */
async function rowOf(db: Database, key: string) {
  const [row] = await db
    .select({ ...getTableColumns(events), data: sql<string>`${events.data}::text` })
    .from(events)
    .where(eq(events.key, key));
  return row;
}
