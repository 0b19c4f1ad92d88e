import { describe, expect, onTestFinished, test } from "vitest";

import { openDatabase } from "#store/connection/database.ts";
import { leaseEvents } from "#store/handling/lease-events.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { countQueries } from "../support/count-queries.ts";
import { ended, settlement } from "../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

const mids = (count: number) => Array.from({ length: count }, (_, index) => testEvent(`m${index}`));

describe("a delivery takes two statements, neither in a transaction that is opened for it", () => {
  test.each([1, 100])("of %i events that are all handled", async (count) => {
    const { db, pool } = await openTestStore();
    const sent = countQueries(pool);
    const { leased } = await storeBatch(db, toStore(testBatch("d1", mids(count))));
    expect(await settleEvents(db, settlement(ended(leased, "handled"), { sold: count }))).toEqual({ lost: [] });
    expect(leased).toHaveLength(count);
    expect(sent).toEqual(["prepared", "prepared"]);
  });

  test("of 100 events of which 50 fail", async () => {
    const { db, pool } = await openTestStore();
    const sent = countQueries(pool);
    const { leased } = await storeBatch(db, toStore(testBatch("d1", mids(100))));
    const results = [
      ...ended(leased.slice(0, 50), "handled"),
      ...ended(leased.slice(50, 90), "failed"),
      ...ended(leased.slice(90), "dead"),
    ];
    await settleEvents(db, settlement(results));
    expect(sent).toEqual(["prepared", "prepared"]);
  });

  test("with findings", async () => {
    const { db, pool } = await openTestStore();
    const sent = countQueries(pool);
    const { leased, drifted } = await storeBatch(db, toStore(testBatch("d1", [testEvent("m1", { data: "odd" })])));
    await settleEvents(db, settlement(ended(leased, "handled")));
    expect({ drifted, sent }).toEqual({ drifted: 1, sent: ["prepared", "prepared"] });
  });

  test("and none to settle if all its events are duplicates", async () => {
    const { db, pool } = await openTestStore();
    const { leased } = await storeBatch(db, toStore(testBatch("d1", mids(100))));
    await settleEvents(db, settlement(ended(leased, "handled")));
    const sent = countQueries(pool);
    expect(await storeBatch(db, toStore(testBatch("d2", mids(100))))).toMatchObject({ duplicates: 100, leased: [] });
    expect(sent).toEqual(["prepared"]);
  });
});

test("the server plans a statement for any values, not at each call anew, which would take longer than to run it", async () => {
  const { url } = await openTestStore();
  const { db, close } = openDatabase(url, { connectionsMax: 1 });
  onTestFinished(close);
  for (let call = 0; call < 10; call++) {
    const events = Array.from({ length: 1 + (call % 4) }, (_, index) => testEvent(`m${call}-${index}`));
    const { leased } = await storeBatch(db, toStore(testBatch(`d${call}`, events)));
    await settleEvents(db, settlement(ended(leased.slice(0, 1), "handled")));
    await settleEvents(db, settlement(ended(leased.slice(1), "failed")));
    await leaseEvents(
      db,
      leased.map(({ id }) => id),
      { leaseMs: 1_000 },
    );
  }
  const { rows } = await db.$client.query<{ text: string; custom: number }>(
    `select substring(statement from 'relay[.][a-z_]+') as text, custom_plans::int as custom from pg_prepared_statements
      where statement not like '%p_record%'`,
  );
  // Batches for which the defaults hold send no values for them.
  expect(rows.map(({ text }) => text)).toContain("relay.ingest");
  expect(rows).toHaveLength(4);
  // After five plans Postgres compares their costs with that of a plan for any values.
  expect(rows.filter(({ custom }) => custom > 5)).toEqual([]);
});

test.each([0, 10])(
  "a settlement that was planned while %i other events were open reads its own events alone, even after many were added",
  async (others) => {
    const { url } = await openTestStore();
    const { db, close } = openDatabase(url, { connectionsMax: 1 });
    onTestFinished(close);
    const settleOne = async (delivery: string) => {
      const { leased } = await storeBatch(db, toStore(testBatch(delivery, eventsOf(delivery))));
      const readBefore = await workRead();
      await settleEvents(db, settlement(ended(leased, "handled")));
      const readByFirst = await workRead();
      const { leased: more } = await storeBatch(db, toStore(testBatch(`${delivery}-2`, eventsOf(`${delivery}-2`))));
      const readBetween = await workRead();
      await settleEvents(db, settlement([...ended(more.slice(0, 5), "handled"), ...ended(more.slice(5), "dead")]));
      return { first: readByFirst - readBefore, any: (await workRead()) - readBetween };
    };
    const eventsOf = (delivery: string) => Array.from({ length: 10 }, (_, index) => testEvent(`${delivery}-${index}`));
    const workRead = async () => {
      await db.$client.query("select pg_stat_force_next_flush()");
      const { rows } = await db.$client.query<{ read: number }>(
        `select (seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid))::int as read
        from pg_stat_user_tables t where relid = 'relay.event_work'::regclass`,
      );
      return rows[0]?.read ?? Number.NaN;
    };
    const addOthers = (first: number, last: number) =>
      db.$client.query(
        `insert into relay.event_work (event_id, delivery_id, batch_index, next_attempt_at, kind, state)
        select -n, gen_random_uuid(), 0, now(), 'message', 'dead' from generate_series($1::int, $2::int) n`,
        [first, last],
      );
    await addOthers(1, others);
    await db.$client.query("vacuum analyze relay.event_work");
    for (let call = 0; call < 7; call++) await settleOne(`d${call}`);
    await addOthers(others + 1, 2_000);
    const { first, any } = await settleOne("last");
    // Each of ten events is looked at a few times.
    expect(first).toBeLessThanOrEqual(50);
    expect(any).toBeLessThanOrEqual(100);
  },
);
