import { expect, test } from "vitest";

import {
  beginDrain,
  beginWaiting,
  type Drain,
  drainsMax,
  endDrain,
  endWaiting,
  keepDrain,
  lookWhileWaiting,
} from "#store/queue/queue-drains.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";
import { changeQueuePause } from "#store/queue/queue-pause.ts";
import { takeMessages } from "#store/queue/take-messages.ts";

import { countQueries } from "../../support/count-queries.ts";
import { eventually } from "../../support/eventually.ts";
import { openSharedStore } from "../../support/shared-store.ts";

const store = openSharedStore("relay.queue_messages, relay.queue_drains, relay.queue_pause");
const longMs = 60_000;

const enqueue = (route: string, delayMs = 0) =>
  enqueueMessage(store().db, { route, body: new Uint8Array([1]), delayMs, deduplicationId: null, label: "test" });

/** What has to be there. */
function given<T>(value: T | null): T {
  if (value === null) throw new Error("Another has it");
  return value;
}
const isDrain = <T extends Drain>(drain: T | null): drain is T => drain !== null;

test("a hundred wakes at once make no more drains than are allowed, and one that runs hears of the others", async () => {
  const { db } = store();
  const begun = (await Promise.all(Array.from({ length: 100 }, () => beginDrain(db, longMs)))).filter(isDrain);
  expect(begun.map(({ slot }) => slot).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: drainsMax }, (_, index) => index + 1),
  );
  const ended = await Promise.all(begun.map((drain) => endDrain(db, drain)));
  expect(ended.filter((end) => end === null)).toHaveLength(1);
});

test("a wake that changes nothing costs two statements", async () => {
  const { db, pool } = store();
  for (let index = 0; index < drainsMax + 1; index += 1) await beginDrain(db, longMs);
  const counted = countQueries(pool);
  expect(await beginDrain(db, longMs)).toBeNull();
  expect(counted).toEqual(["prepared", "prepared"]);
  const { rows } = await pool.query<{ wanted: boolean }>("select wanted from relay.queue_drains where slot = 1");
  expect(rows).toEqual([{ wanted: true }]);
});

test("no message is left behind, however wakes and ends of drains meet", async () => {
  const { db } = store();
  let begun = 0;
  /** As the drain does it: until nothing is found, and nothing came while it looked. */
  const drain = async () => {
    const held = await beginDrain(db, longMs, { countMax: 3, leaseMs: longMs });
    if (held === null) return;
    begun += 1;
    let dealtWith = held.messages.map(({ receipt }) => receipt);
    for (;;) {
      while (dealtWith.length === 3) {
        const messages = await takeMessages(db, { countMax: 3, leaseMs: longMs, dealtWith });
        dealtWith = messages.map(({ receipt }) => receipt);
      }
      if ((await endDrain(db, held, dealtWith)) !== null) return;
      await keepDrain(db, held, longMs);
      dealtWith = (await takeMessages(db, { countMax: 3, leaseMs: longMs })).map(({ receipt }) => receipt);
    }
  };
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let index = 0; index < 15; index += 1) {
        await enqueue("handlers");
        await drain();
      }
    }),
  );
  // Everything that was committed before the last drain ended was found and deleted, without another wake.
  expect((await store().pool.query("select from relay.queue_messages")).rowCount).toBe(0);
  expect(begun).toBeGreaterThan(1);
});

test("a drain whose process died is replaced when its lease ends, and changes nothing when it comes back", async () => {
  const { db } = store();
  for (let slot = 1; slot < drainsMax; slot += 1) await beginDrain(db, longMs);
  const dead = given(await beginDrain(db, 50));
  const next = await eventually("its place is free", () => beginDrain(db, longMs));
  expect(next.slot).toBe(dead.slot);
  expect([await keepDrain(db, dead, longMs), await endDrain(db, dead)]).toEqual([null, null]);
  expect(await keepDrain(db, next, longMs)).toMatchObject({ slot: next.slot });
});

test("a wake that a dead drain alone was asked to hear is heard when its lease ends, whatever queue it was for", async () => {
  const { db, pool } = store();
  const dead = given(await beginDrain(db, longMs));
  const alive = given(await beginDrain(db, longMs));
  expect(await beginWaiting(db, 20_000)).toBeNull();
  expect(await beginDrain(db, longMs)).toBeNull();
  // Only now does its lease come near its end, however slow the machine is.
  await pool.query("update relay.queue_drains set leased_until = now() + interval '0.5 s' where slot = $1", [
    dead.slot,
  ]);
  const ended = given(await endDrain(db, alive));
  // More than the half second, because the system's clock may be set back meanwhile.
  expect(ended.dueInMs).toBeLessThan(longMs / 2);
  const waiting = given(await beginWaiting(db, 20_000));
  await eventually("a look is due", async () => ((await lookWhileWaiting(db, waiting)) ?? 1) <= 0);
  expect(await beginDrain(db, longMs)).toMatchObject({ slot: 1 });
  expect(await lookWhileWaiting(db, waiting)).toBeNull();
});

test("one process waits for messages to become due: the one whose time lasts longest", async () => {
  const { db } = store();
  await beginDrain(db, longMs);
  expect(await beginWaiting(db, 20_000)).toBeNull();
  const first = given(await beginWaiting(db, 20_000, true));
  expect(await lookWhileWaiting(db, first)).toBeNull();
  await enqueue("handlers", 15_000);
  expect(await lookWhileWaiting(db, first)).toBeGreaterThan(1_000);
  expect(await beginWaiting(db, 24_000)).toBeNull();
  const second = given(await beginWaiting(db, 40_000));
  expect(await lookWhileWaiting(db, first)).toBeUndefined();
  await endWaiting(db, first);
  expect(await lookWhileWaiting(db, second)).toBeLessThan(20_000);
});

test("while batches are held back none is taken, and none is waited for; other messages are", async () => {
  const { db } = store();
  await beginDrain(db, longMs);
  const waiting = given(await beginWaiting(db, 20_000, true));
  await changeQueuePause(db, true);
  await changeQueuePause(db, true);
  await enqueue("instagram-ingestion");
  expect(await takeMessages(db, { countMax: 10, leaseMs: longMs })).toEqual([]);
  expect(await lookWhileWaiting(db, waiting)).toBeNull();
  expect(await beginDrain(db, longMs)).toMatchObject({ paused: true });
  await enqueue("handlers");
  expect(await takeMessages(db, { countMax: 10, leaseMs: longMs })).toMatchObject([{ route: "handlers" }]);
  await changeQueuePause(db, false);
  expect(await takeMessages(db, { countMax: 10, leaseMs: longMs })).toMatchObject([{ route: "instagram-ingestion" }]);
});

test("taking reads what it takes alone, also beside many delayed messages and after many deleted ones", async () => {
  const { db, pool } = store();
  await pool.query(`insert into relay.queue_messages (route, body, due_at, label)
    select case when n % 2 = 0 then 'handlers' else 'instagram-ingestion' end, '\\x01', now() + interval '1 day', 'test'
    from generate_series(1, 40000) n`);
  await pool.query(`insert into relay.queue_messages (route, body, due_at, label)
    select 'handlers', '\\x01', now() - interval '1 hour', 'test' from generate_series(1, 40000)`);
  await pool.query("delete from relay.queue_messages where due_at < now()");
  await pool.query("vacuum analyze relay.queue_messages");
  await enqueue("instagram-ingestion");
  const { rows } = await pool.query<{ "QUERY PLAN": string }>(
    `explain (analyze, buffers, timing off) select id from relay.queue_messages q
     where q.route = 'handlers' and due_at <= now() and (leased_until is null or leased_until <= now())
     order by due_at limit 32 for update skip locked`,
  );
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan).toMatch(/Index Scan using queue_messages_due/);
  expect(Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1])).toBeLessThan(60);
  expect(await takeMessages(db, { countMax: 32, leaseMs: longMs })).toHaveLength(1);
});
