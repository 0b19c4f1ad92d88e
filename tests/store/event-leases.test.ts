import { asc } from "drizzle-orm";
import type { PoolClient } from "pg";
import { expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { claimEvents, settleEvents } from "#store/event-leases.ts";
import { events } from "#store/schema.ts";
import { storeBatch } from "#store/store-batch.ts";

import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

const nowMs = 1_700_000_003_000;

test("settling takes the same number of statements however many events failed, each with its own error", async () => {
  const { db, pool } = await openTestStore();
  const carried = Array.from({ length: 50 }, (_, index) => testEvent(`m${String(index).padStart(2, "0")}`));
  const { eventIds } = await storeBatch(db, toStore(testBatch("d1", carried)), systemClock);
  const statements = countStatements(pool);
  const settleFailed = async (failedIds: number[]) => {
    await claimEvents(db, failedIds, { nowMs, leaseUntilMs: nowMs + 1_000 });
    const before = statements.count();
    await settleEvents(db, {
      leasedUntilMs: nowMs + 1_000,
      handledIds: [],
      failed: failedIds.map((id) => ({ id, errorName: `Error "${id}"` })),
      counts: new Map(),
      remainingIds: [],
      leaseUntilMs: null,
      nowMs,
      begunId: null,
      attemptsCounted: false,
    });
    return statements.count() - before;
  };
  const forOne = await settleFailed(eventIds.slice(0, 1));
  expect(await settleFailed(eventIds.slice(1))).toBe(forOne);

  const rows = await db.select().from(events).orderBy(asc(events.id));
  expect(
    rows.map(({ id, handlerError, handlerAttempts, leasedUntil }) => [id, handlerError, handlerAttempts, leasedUntil]),
  ).toEqual(rows.map(({ id }) => [id, `Error "${id}"`, 1, null]));
});

/** Counts what the pool's connections send from now on. */
function countStatements(pool: { on(event: "acquire", listener: (client: PoolClient) => void): unknown }) {
  let count = 0;
  const counted = new WeakSet<PoolClient>();
  pool.on("acquire", (client) => {
    if (counted.has(client)) return;
    counted.add(client);
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((...given: unknown[]) => {
      count += 1;
      return query(...given);
    }) as PoolClient["query"];
  });
  return { count: () => count };
}
