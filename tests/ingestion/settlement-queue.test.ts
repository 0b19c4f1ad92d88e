import type { Pool } from "pg";
import { describe, expect, test } from "vitest";

import { createSettlementQueue } from "#ingestion/settlement-queue.ts";
import { systemClock } from "#platform/clock.ts";
import { settleTogether } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { countQueries } from "../support/count-queries.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { ended, settlement } from "../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";
import { readCounts, readKeys, readWork } from "../support/work.ts";

/** Deliveries of two events each; the last one comes in two batches. */
async function openWithDeliveries(count: number) {
  const store = await openTestStore();
  const batches = Array.from({ length: count }, (_, index) => testBatch(`d${index}`, twoEvents(`${index}`)));
  batches.push(testBatch("parts", twoEvents("first"), [0, 2]), testBatch("parts", twoEvents("second"), [1, 2]));
  const leases = [];
  for (const batch of batches) leases.push((await storeBatch(store.db, toStore(batch))).leased);
  return { ...store, leases };
}

const twoEvents = (name: string) => [testEvent(`${name}a`), testEvent(`${name}b`)];

async function readDeliveries(pool: Pool) {
  const { rows } = await pool.query<{ handled: number; ms: number; measured: number }>(`
    select count(handled_at)::integer as handled, sum(handler_ms)::float8 as ms,
      (select count(*)::integer from relay.measurements where facts::text like '%"handler"%') as measured
    from relay.deliveries`);
  return rows[0];
}

describe("a settlement queue", () => {
  test("lets settlements that come while one is under way share the next statement, each with its own counts", async () => {
    const { db, pool, leases } = await openWithDeliveries(3);
    const settle = createSettlementQueue(db, systemClock);
    const all = leases.map((leased, index) => settlement(ended(leased, "handled"), { sold: 10 ** index }));
    const sent = countQueries(pool);
    expect(await Promise.all(all.map(settle))).toEqual(all.map(() => ({ lost: [] })));
    expect(sent).toEqual(["prepared", "prepared"]);
    const expected = { handled: 4, ms: 50, measured: 5 };
    expect(await readDeliveries(pool)).toEqual(expected);
    expect(await readCounts(pool)).toEqual({ sold: 11_111 });
    expect(await readWork(pool)).toEqual([]);
    // As after an answer that was lost.
    await settleTogether(db, all);
    expect(await readDeliveries(pool)).toEqual(expected);
    expect(await readCounts(pool)).toEqual({ sold: 11_111 });
  });

  test("takes the others when Postgres refuses one", async () => {
    const { db, pool, leases } = await openWithDeliveries(3);
    const settle = createSettlementQueue(db, systemClock);
    const all = leases.map((leased, index) => settlement(ended(leased, "handled"), { sold: index === 2 ? 1e30 : 1 }));
    const settled = await Promise.allSettled(all.map(settle));
    expect(settled.map(({ status }) => status === "fulfilled")).toEqual([true, true, false, true, true]);
    expect(await readKeys(pool, "handled")).toHaveLength(8);
    expect(await readCounts(pool)).toEqual({ sold: 4 });
  });

  test("takes the others while another transaction holds the row of one", async () => {
    const { db, pool, leases } = await openWithDeliveries(3);
    const settle = createSettlementQueue(db, systemClock);
    const all = leases.map((leased) => settlement(ended(leased, "handled"), { sold: 1 }));
    const other = await pool.connect();
    await other.query("begin");
    await other.query("select from relay.deliveries where id = $1 for update", [all[1]?.results[0]?.event.deliveryId]);
    const settled = all.map(settle);
    const [holding] = settled.splice(1, 1);
    await Promise.all(settled);
    expect(await readKeys(pool, "handled")).toHaveLength(8);
    await other.query("rollback");
    other.release();
    await holding;
    expect(await readKeys(pool, "handled")).toHaveLength(10);
    expect(await readCounts(pool)).toEqual({ sold: 5 });
  });

  test("does not let others wait for a statement that has no answer, nor for one of failures", async () => {
    const { db, pool, leases } = await openWithDeliveries(3);
    const clock = createManualClock();
    const settle = createSettlementQueue(db, clock);
    const all = leases.slice(0, 3).map((leased) => settlement(ended(leased, "handled")));
    const failed = settlement(ended(leases[3] ?? [], "failed"));
    const other = await pool.connect();
    await other.query("begin");
    await other.query("select from relay.deliveries where id = $1 for update", [all[0]?.results[0]?.event.deliveryId]);
    const [holding, ...others] = all.map(settle);
    expect(await settle(failed)).toEqual({ lost: [] });
    expect(await readKeys(pool, "handled")).toEqual([]);
    await clock.advance(500);
    await Promise.all(others);
    expect(await readKeys(pool, "handled")).toHaveLength(4);
    await other.query("rollback");
    other.release();
    await holding;
    expect(await readKeys(pool, "handled")).toHaveLength(6);
  });
});
