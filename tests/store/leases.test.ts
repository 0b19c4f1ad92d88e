import { describe, expect, test } from "vitest";

import { systemClock } from "#platform/clock.ts";
import { leaseEvents } from "#store/handling/lease-events.ts";
import type { LeasedEvent } from "#store/handling/leased-event.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { ended, settlement, testFailure } from "../support/settle.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";
import { endLeases, makeDue, readCounts, readTries, readWork } from "../support/work.ts";

const hour = 3_600_000;

async function openWithEvents(count = 1) {
  const store = await openTestStore();
  const events = Array.from({ length: count }, (_, index) => testEvent(`m${index}`));
  const batch = toStore(testBatch("d1", events));
  const { leased } = await storeBatch(store.db, batch);
  return { ...store, batch, leased, ids: leased.map(({ id }) => id) };
}

describe("a lease", () => {
  test.each([-hour, hour])(
    "is of Postgres's clock: a consumer whose clock is %i ms off runs nothing twice",
    async (off) => {
      const { db, pool } = await openTestStore();
      const clock = { ...systemClock, nowMs: () => Date.now() + off };
      const batch = toStore(testBatch("d1", [testEvent("m")]), clock.nowMs());
      const first = await storeBatch(db, batch, clock);
      expect(first.leased).toHaveLength(1);
      expect(await storeBatch(db, batch)).toMatchObject({ leased: [], deathIds: [], repeated: true });
      expect(await leaseEvents(db, [first.leased[0]?.id ?? 0], { leaseMs: 1_000 })).toEqual({
        leased: [],
        deathIds: [],
      });
      const { rows } = await pool.query(
        "select leased_until - now() between interval '10 s' and interval '20 s' as is_true from relay.event_work",
      );
      expect(rows).toEqual([{ is_true: true }]);
    },
  );

  test("that ended without a result is a death: the event is leased alone from then on", async () => {
    const { db, pool, batch, ids } = await openWithEvents(3);
    await endLeases(pool);
    expect(await storeBatch(db, batch)).toMatchObject({ leased: [], deathIds: ids });
    expect(await leaseEvents(db, ids, { leaseMs: 1_000 })).toEqual({ leased: [], deathIds: ids });
    const { leased } = await leaseEvents(db, ids.slice(0, 1), { leaseMs: 1_000 });
    expect(leased).toMatchObject([{ id: ids[0], attempt: 2, fence: 2, deaths: 1, key: "message:1:m0" }]);
    await endLeases(pool);
    expect((await leaseEvents(db, ids.slice(0, 1), { leaseMs: 1_000 })).leased).toMatchObject([{ deaths: 2 }]);
  });

  test("is taken by one of many at once", async () => {
    const { db, leased, ids } = await openWithEvents(50);
    await settleEvents(db, settlement(ended(leased, "failed")));
    const leases = await Promise.all(Array.from({ length: 10 }, () => leaseEvents(db, ids, { leaseMs: 10_000 })));
    expect(leases.flatMap((one) => one.leased.map(({ id }) => id)).toSorted((a, b) => a - b)).toEqual(ids);
  });

  test("on an event that retention removed ends its work, so that no sweep comes back to it for ever", async () => {
    const { db, pool, leased, ids } = await openWithEvents(2);
    await settleEvents(db, settlement(ended(leased, "released")));
    await pool.query("delete from relay.events where id = $1", [ids[0]]);
    expect(await leaseEvents(db, ids, { leaseMs: 1_000 })).toMatchObject({ leased: [{ id: ids[1] }], deathIds: [] });
    const { rows } = await pool.query("select event_id::float8 as id from relay.event_work");
    expect(rows).toEqual([{ id: ids[1] }]);
  });

  test("is not taken before the event is due, nor of another replay", async () => {
    const { db, pool, leased, ids } = await openWithEvents();
    await settleEvents(db, settlement(ended(leased, "failed", { retryInMs: 60_000, queuedForMs: 180_000 })));
    const [work] = await readWork(pool);
    expect(work).toMatchObject({ state: "open", attempts: 1, leased: false, error: "CrmError" });
    // Seconds from now, and some pass on a busy machine; but the two are of one statement.
    expect((work?.queuedFor ?? 0) - (work?.dueIn ?? 0)).toBeCloseTo(120, 3);
    expect(work?.dueIn).toBeGreaterThan(50);
    expect(work?.dueIn).toBeLessThanOrEqual(60);
    expect(await leaseEvents(db, ids, { leaseMs: 1_000 })).toEqual({ leased: [], deathIds: [] });
    await makeDue(pool);
    expect(await leaseEvents(db, ids, { leaseMs: 1_000, replayId: "r1" })).toEqual({ leased: [], deathIds: [] });
    expect((await leaseEvents(db, ids, { leaseMs: 1_000 })).leased).toMatchObject([{ attempt: 2, fence: 2 }]);
  });
});

describe("settling is fenced", () => {
  async function leaseTwice() {
    const opened = await openWithEvents();
    await endLeases(opened.pool);
    const { leased } = await leaseEvents(opened.db, opened.ids, { leaseMs: 60_000 });
    return { ...opened, newer: leased };
  }

  test.each(["failed", "dead", "released"] as const)("a late result that is %s is lost", async (outcome) => {
    const { db, pool, leased, ids } = await leaseTwice();
    expect(await settleEvents(db, settlement(ended(leased, outcome)))).toEqual({ lost: ids });
    expect(await readWork(pool)).toMatchObject([{ state: "open", leased: true, error: null }]);
  });

  test("a late success counts, and the newer failure is lost", async () => {
    const { db, pool, leased, newer, ids } = await leaseTwice();
    expect(await settleEvents(db, settlement(ended(leased, "handled"), { sold: 1 }))).toEqual({ lost: [] });
    expect(await settleEvents(db, settlement(ended(newer, "failed")))).toEqual({ lost: ids });
    expect(await readWork(pool)).toEqual([]);
    expect(await readCounts(pool)).toEqual({ sold: 1 });
  });

  test("late successes resolve the dead letters that others have made of their events meanwhile", async () => {
    const { db, pool, leased, ids } = await openWithEvents(3);
    await endLeases(pool);
    for (const id of ids) {
      const { leased: newer } = await leaseEvents(db, [id], { leaseMs: 60_000 });
      await settleEvents(db, settlement(ended(newer, "dead")));
    }
    const late = ended(leased, "handled");
    await settleEvents(db, settlement(late.slice(0, 1)));
    // With a result that is no first success it takes the other function.
    await settleEvents(db, settlement([...late.slice(1, 2), ...ended(leased.slice(2), "failed")]));
    const { rows } = await pool.query(
      "select event_id::float8 as id, resolved_by as by from relay.dead_letters order by event_id",
    );
    expect(rows).toEqual(ids.map((id, index) => ({ id, by: index < 2 ? "handled" : null })));
    expect(await readWork(pool)).toMatchObject([{ id: ids[2], state: "dead" }]);
  });
});

describe("settleEvents()", () => {
  test("gives a released event its attempt back", async () => {
    const { db, pool, leased, ids } = await openWithEvents();
    await settleEvents(db, settlement(ended(leased, "released")));
    expect(await readWork(pool)).toMatchObject([{ attempts: 0, deaths: 0, error: null, leased: false }]);
    expect(await readTries(pool)).toEqual([]);
    expect((await leaseEvents(db, ids, { leaseMs: 1_000 })).leased).toMatchObject([{ attempt: 1, fence: 2 }]);
  });

  test("counts a success whose delivery retention removed meanwhile, and makes no delivery of it", async () => {
    const { db, pool, leased } = await openWithEvents();
    await pool.query("delete from relay.deliveries");
    expect(await settleEvents(db, settlement(ended(leased, "handled"), { sold: 1 }))).toEqual({ lost: [] });
    expect(await readWork(pool)).toEqual([]);
    expect(await readCounts(pool)).toEqual({ sold: 1 });
    const { rows } = await pool.query(
      "select (select count(*)::int from relay.deliveries) as deliveries, runtime, probe from relay.measurements offset 1",
    );
    expect(rows).toEqual([{ deliveries: 0, runtime: "", probe: false }]);
  });

  test("records every call but first successes", async () => {
    const { db, pool, leased, ids } = await openWithEvents(2);
    const [first, second] = leased as [LeasedEvent, LeasedEvent];
    await settleEvents(db, settlement([...ended([first], "handled"), ...ended([second], "failed")]));
    const { leased: again } = await leaseEvents(db, ids, { leaseMs: 1_000 });
    await settleEvents(db, settlement(ended(again, "handled")));
    const { name: error, code, message, frames } = testFailure;
    const common = { key: second.key, deployment: "dpl_1", messageId: "msg_1", replayId: null };
    expect(await readTries(pool)).toEqual([
      { ...common, attempt: 1, error, code, message, frames },
      { ...common, attempt: 2, error: null, code: null, message: null, frames: null },
    ]);
    const { rows } = await pool.query("select handler_ms, handled_at is not null as handled from relay.deliveries");
    expect(rows).toEqual([{ handler_ms: 10, handled: true }]);
  });

  test("makes a dead letter in the group of its cause, which a later success resolves and a later death opens again", async () => {
    const { db, pool, leased, ids } = await openWithEvents(2);
    await settleEvents(db, settlement(ended(leased, "dead")));
    const letters = async () =>
      (
        await pool.query(
          "select event_id::float8 as id, resolved_by as by, count(*) over ()::int as n from relay.dead_letters order by id",
        )
      ).rows;
    expect(await letters()).toEqual(ids.map((id) => ({ id, by: null, n: 2 })));
    expect((await pool.query("select cause, error_name, kind from relay.dead_letter_groups")).rows).toEqual([
      { cause: "handler", error_name: "CrmError", kind: "message" },
    ]);
    expect((await leaseEvents(db, ids, { leaseMs: 1_000 })).leased).toEqual([]);
    await pool.query("update relay.event_work set state = 'open'");
    const { leased: again } = await leaseEvents(db, ids, { leaseMs: 1_000 });
    await settleEvents(db, settlement([...ended(again.slice(0, 1), "handled"), ...ended(again.slice(1), "dead")]));
    expect(await letters()).toEqual([
      { id: ids[0], by: "handled", n: 2 },
      { id: ids[1], by: null, n: 2 },
    ]);
  });

  test("makes one group of deaths at the same moment", async () => {
    const { db, pool, leased } = await openWithEvents(20);
    await Promise.all(leased.map((event) => settleEvents(db, settlement(ended([event], "dead")))));
    const { rows } = await pool.query(
      "select count(*)::int as letters, count(distinct group_id)::int as groups from relay.dead_letters",
    );
    expect(rows).toEqual([{ letters: 20, groups: 1 }]);
  });
});
