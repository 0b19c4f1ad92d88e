import { asc } from "drizzle-orm";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { carryOutDeletion } from "#privacy/carry-out-deletion.ts";
import { recordDeletion } from "#store/erasure/data-deletions.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { events } from "#store/schema/event-schema.ts";

import { eventually } from "../../support/eventually.ts";
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

test("what is being stored at the moment of the request is erased, too, once it is stored", async () => {
  const { db, pool, url } = await openTestStore();
  const other = new Client({ connectionString: url });
  await other.connect();
  onTestFinished(() => other.end());
  // The batch has looked up who was erased, and waits for its delivery's row.
  await other.query("begin");
  await other.query(
    `insert into relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime)
    values ($1, now(), 1, false, false, 'edge')`,
    [deliveryUuid("d1")],
  );
  const storing = storeBatch(db, toStore(testBatch("d1", [testEvent("m1", { senderId: userId })])));
  await eventually("the batch waits for the row", async () => {
    const { rows } = await pool.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length === 1;
  });
  await recordDeletion(db, { requestId: "r1", userId, code: "c1", requestedAtMs: clock.nowMs() });
  const options = { db, api: null, clock };
  expect(await carryOutDeletion(options, "r1", clock.monotonicMs())).toMatchObject({ erased: 0, isComplete: false });
  const carriedOut = carryOutDeletion(options, "r1", Infinity);
  await other.query("commit");
  expect((await storing).inserted).toBe(1);
  expect(await carriedOut).toMatchObject({ erased: 1, isComplete: true });
  const [stored] = await db.select().from(events);
  expect([stored?.senderId, JSON.stringify(stored?.data)]).toEqual([null, expect.not.stringContaining("customer")]);
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
