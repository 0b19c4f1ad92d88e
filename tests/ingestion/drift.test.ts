import * as fc from "fast-check";
import type { Pool } from "pg";
import { expect, test } from "vitest";

import { eventKinds, type InstagramEvent, type Json } from "#instagram/events.ts";

import { createHandling, ingest } from "../support/handling.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

/** The differences that were found, each with how often. */
const readFindings = async (pool: Pool) => {
  const { rows } = await pool.query<{ row: string }>(`
    select concat_ws(' ', kind, finding, path, shape, sum(count)) as row from relay.drift_findings
    group by kind, finding, path, shape order by path, shape`);
  return rows.map(({ row }) => row);
};

const withMessage = (mid: string, content: object): InstagramEvent =>
  testEvent(mid, { data: { sender: { id: "1" }, message: { mid, ...content } } as Json });

test("a mismatch marks its event, which is stored and handled like any other", async () => {
  const { db, pool } = await openTestStore();
  const seen: unknown[] = [];
  const options = createHandling(db, ({ key, drifted, data }) => void seen.push([key, drifted, data]));
  const odd = withMessage("odd", { text: 7 });
  const good = withMessage("good", { text: "x" });
  expect(await ingest(testBatch("d1", [odd, good]), options)).toMatchObject({ inserted: 2, duplicates: 0 });
  expect(seen).toEqual([
    ["message:1:odd", true, odd.data],
    ["message:1:good", false, good.data],
  ]);
  const { rows } = await pool.query("select key, drifted from relay.events order by key");
  expect(rows).toEqual([
    { key: "message:1:good", drifted: false },
    { key: "message:1:odd", drifted: true },
  ]);
  expect(options.recording.of("ingestion.committed")).toMatchObject([{ inserted: 2, drifted: 1 }]);
});

test("appends the differences in new events, each once however often its event comes", async () => {
  const { db, pool } = await openTestStore();
  const first = testBatch("d1", [
    withMessage("a", { is_ai: true }),
    withMessage("b", { is_ai: false, text: null }),
    // Of equal keys the first is the event.
    withMessage("b", { is_new: 1 }),
    testEvent("u", { kind: "unknown", data: { field: "follow", value: {} } }),
  ]);
  const options = createHandling(db);
  await ingest(first, options);
  await ingest(first, options);
  await ingest(testBatch("d2", [withMessage("b", { is_ai: 1 })]), options);
  await ingest(testBatch("d3", [withMessage("c", { is_ai: true })]), options);
  expect(await readFindings(pool)).toEqual([
    "unknown unknown_kind field=follow object 1",
    "message unknown_field message.is_ai boolean 3",
    "message mismatch message.text null 1",
  ]);
});

test("any JSON is stored as any kind, and its values appear nowhere else", async () => {
  const { db, pool } = await openTestStore();
  const options = createHandling(db);
  const word = fc.constantFrom("secret words", "secret\0words");
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.integer(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom("message", "mid", "text", "attachments", "type", "id", "media_id", "from"),
        tie("value"),
      ),
    ),
  }));
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...eventKinds), value), { minLength: 1 }), async (items) => {
      number += 1;
      const batch = items.map(([kind, data], index) => testEvent(`${number}-${index}`, { kind, data }));
      const ingested = await ingest(testBatch(`d${number}`, batch), options);
      expect(ingested).toMatchObject({ inserted: items.length, duplicates: 0 });
    }),
    { numRuns: 40, seed: 23 },
  );
  const rows = await readFindings(pool);
  expect(rows.length).toBeGreaterThan(5);
  expect(JSON.stringify([rows, options.recording.lines])).not.toContain("secret");
});
