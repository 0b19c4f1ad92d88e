import { expect, test } from "vitest";

import type { Database } from "#store/connection/database.ts";
import { allDrift, driftRowsMax, foldDrift } from "#store/figures/fold-drift.ts";
import { allHandlerCounts, foldHandlerCounts } from "#store/figures/fold-handler-counts.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { ended, settlement } from "../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

async function readCounts(db: Database) {
  const { rows } = await db.execute<{ name: string; count: string }>(allHandlerCounts);
  return Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)]));
}

async function countRows(db: Database, table: string): Promise<number> {
  const { rows } = await db.$client.query<{ n: number }>(`select count(*)::int as n from relay.${table}`);
  return rows[0]?.n ?? 0;
}

test("counters are the same folded or not, by several calls at once", async () => {
  const { db } = await openTestStore();
  const events = Array.from({ length: 31 }, (_, index) => testEvent(`m${index}`));
  const { leased } = await storeBatch(db, toStore(testBatch("d1", events)));
  for (const event of leased.slice(1)) {
    const settled = settlement(ended([event], "handled"), { sold: 2, lost: -1, big: 2 ** 53 - 1 });
    await settleEvents(db, settled);
    // Sent again, as after an answer that was lost, it counts nothing.
    await settleEvents(db, settled);
  }
  const counts = { sold: 60, lost: -30, big: 2 ** 53 - 1 };
  expect(await readCounts(db)).toEqual(counts);
  const folded = await Promise.all(Array.from({ length: 5 }, () => foldHandlerCounts(db)));
  expect(folded.reduce((sum, rows) => sum + rows, 0)).toBe(90);
  expect(await readCounts(db)).toEqual(counts);
  expect(await countRows(db, "handler_count_increments")).toBe(0);
  await settleEvents(db, settlement(ended(leased.slice(0, 1), "handled"), { sold: 1 }));
  expect(await readCounts(db)).toEqual({ ...counts, sold: 61 });
  expect(await foldHandlerCounts(db)).toBe(1);
  expect(await readCounts(db)).toEqual({ ...counts, sold: 61 });
});

test("drift is the same folded or not", async () => {
  const { db } = await openTestStore();
  for (let call = 0; call < 6; call++) {
    await storeBatch(
      db,
      toStore(testBatch(`d${call}`, [testEvent(`m${call}`, { data: call % 2 === 0 ? "odd" : [1] })])),
    );
  }
  const read = async () =>
    (await db.execute(allDrift)).rows.toSorted((a, b) => (String(a["shape"]) < String(b["shape"]) ? -1 : 1));
  const before = await read();
  expect(before).toMatchObject([
    { finding: "mismatch", path: "$", count: "3" },
    { finding: "mismatch", path: "$", count: "3" },
  ]);
  const folded = await Promise.all([foldDrift(db), foldDrift(db), foldDrift(db)]);
  expect(folded.reduce((sum, rows) => sum + rows, 0)).toBe(6);
  expect(await read()).toEqual(before);
});

test("drift does not grow without end: further findings are counted together", async () => {
  const { db, pool } = await openTestStore();
  await pool.query(
    `insert into relay.drift_findings select 'message', 'field' || n, 'unknown_field', 'string', 1, now(), n
    from generate_series(1, $1::int + 500) n`,
    [driftRowsMax],
  );
  expect(await foldDrift(db)).toBe(driftRowsMax + 500);
  expect(await countRows(db, "drift")).toBe(driftRowsMax + 1);
  const { rows } = await pool.query("select count::int from relay.drift where path = '*'");
  expect(rows).toEqual([{ count: 500 }]);
});
