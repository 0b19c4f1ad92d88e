import { asc } from "drizzle-orm";
import { expect, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { carryOutDeletion } from "#privacy/carry-out-deletion.ts";
import { recordDeletion } from "#store/erasure/data-deletions.ts";
import { events } from "#store/schema/event-schema.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { openTestStore, testBatch, testEvent, toStore } from "../../support/store.ts";

const userId = "60011223344";
const nowMs = 1_700_000_003_000;

test("an event that was stored without its search columns is found by the id in its data", async () => {
  const { db, pool } = await openTestStore();
  const by = (id: string) => ({ senderId: id, data: { sender: { id }, message: { text: "the customer's words" } } });
  // Postgres refuses the columns of one and the data of the other: such rows lose what is refused.
  await pool.query(`
    alter table relay.events add constraint no_columns check (key not like '%columns' or sender_id is null);
    alter table relay.events add constraint no_data check (key not like '%data' or json_typeof(data) = 'string');
    alter table relay.events add constraint no_columns_beside check (key not like '%data' or sender_id is null)`);
  const carried = [
    testEvent("columns", by(userId)),
    testEvent("data", by(userId)),
    testEvent("longer-columns", by(`${userId}5`)),
    testEvent("whole", by("60099")),
  ];
  expect(await storeBatch(db, toStore(testBatch("d1", carried)))).toMatchObject({ reduced: 3 });
  await pool.query(
    "alter table relay.events drop constraint no_columns, drop constraint no_data, drop constraint no_columns_beside",
  );

  await recordDeletion(db, { requestId: "r1", userId, code: "c1", requestedAtMs: nowMs });
  expect(await carryOutDeletion({ db, api: null, clock }, "r1", Infinity)).toEqual({
    code: "c1",
    erased: 2,
    isComplete: true,
  });
  const rows = await db.select().from(events).orderBy(asc(events.id));
  expect(rows.map(({ erasedAt, data }) => [erasedAt !== null, JSON.stringify(data).includes("customer")])).toEqual([
    [true, false],
    [true, false],
    [false, true],
    [false, true],
  ]);
});

test("a person's events are looked up by indexes alone", async () => {
  const { db, pool } = await openTestStore();
  await storeBatch(db, toStore(testBatch("d1", [testEvent("a"), testEvent("b")])));
  for (const condition of [
    "sender_id = 'x'",
    "recipient_id = 'x' and recipient_id <> account_id",
    "account_id = 'x'",
  ]) {
    const client = await pool.connect();
    await client.query("set enable_seqscan = off");
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `explain select id from relay.events where ${condition} and id > 0 order by id limit 1000`,
    );
    client.release(true);
    expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).not.toContain("Seq Scan");
  }
});
