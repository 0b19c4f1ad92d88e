import { describe, expect, onTestFinished, test } from "vitest";

import { openDatabase } from "#store/database.ts";
import { leaseEvents } from "#store/lease-events.ts";
import { settleEvents } from "#store/settle-events.ts";
import { storeBatch } from "#store/store-batch.ts";

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

  test("and none to settle if all its events are duplicates, which a second one looks up", async () => {
    const { db, pool } = await openTestStore();
    const { leased } = await storeBatch(db, toStore(testBatch("d1", mids(100))));
    await settleEvents(db, settlement(ended(leased, "handled")));
    const sent = countQueries(pool);
    expect(await storeBatch(db, toStore(testBatch("d2", mids(100))))).toMatchObject({ duplicates: 100, leased: [] });
    expect(sent).toEqual(["prepared", "prepared"]);
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
    "select left(statement, 60) as text, custom_plans::int as custom from pg_prepared_statements",
  );
  expect(rows).toHaveLength(4);
  // After five plans Postgres compares their costs with that of a plan for any values.
  expect(rows.filter(({ custom }) => custom > 5)).toEqual([]);
});
