import { expect, test } from "vitest";

import { withoutProbe } from "#ingestion/without-probe.ts";

import { createHandling, ingest } from "../support/handling.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

const probeEvent = testEvent("probe", { key: "message:relay-probe:probe-1", accountId: "relay-probe" });

test.each([true, false])(
  "a probe's event is neither stored nor handled, and its delivery is marked as a probe; it was before: %s",
  async (isMarked) => {
    const { db, pool } = await openTestStore();
    const seen: string[] = [];
    const handling = createHandling(db, ({ key }) => void seen.push(key));
    const batch = testBatch("d1", [probeEvent]);
    const marked = { ...batch, delivery: { ...batch.delivery, probe: isMarked } };
    expect(await ingest(marked, handling)).toEqual({ inserted: 0, duplicates: 0, handlers: null });
    expect(await ingest(marked, handling)).toEqual({ inserted: 0, duplicates: 0, handlers: null });
    expect(seen).toEqual([]);
    const { rows } = await pool.query(`select probe, handled_at is not null as handled,
    (select count(*)::int from relay.events) as events, (select count(*)::int from relay.event_work) as work from relay.deliveries`);
    expect(rows).toEqual([{ probe: true, handled: true, events: 0, work: 0 }]);
  },
);

test("a delivery becomes a probe when it is ingested, if its report came first and did not know", async () => {
  const { db, pool } = await openTestStore();
  await pool.query(`insert into relay.deliveries (id, received_at, body_bytes, cold_start, probe, runtime)
    values ('01890000-0000-7000-8000-000000000001', now(), 1, false, false, 'edge')`);
  await ingest(testBatch("01890000-0000-7000-8000-000000000001", [probeEvent]), createHandling(db));
  expect((await pool.query("select probe from relay.deliveries")).rows).toEqual([{ probe: true }]);
});

test("an event from Meta is kept, also beside a probe's and in a marked delivery", () => {
  const real = testEvent("m1");
  const batch = testBatch("d1", [real, probeEvent]);
  expect(withoutProbe(batch).events).toEqual([real]);
  const marked = testBatch("d2", [real]);
  expect(withoutProbe({ ...marked, delivery: { ...marked.delivery, probe: true } }).events).toEqual([real]);
  expect(withoutProbe(marked)).toBe(marked);
});
