import { asc, count } from "drizzle-orm";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Handlers } from "#handlers/handler.ts";
import { ingest } from "#ingestion/ingest.ts";
import { eventKinds, type InstagramEvent, type Json } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/database.ts";
import { drift, events } from "#store/schema.ts";
import { driftRowsMax } from "#store/store-drift.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "../support/handlers.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

function optionsFor(db: Database, handlers: Partial<Handlers> = {}) {
  const recording = createRecordingLog();
  const all = createHandlers(undefined, handlers);
  return {
    db,
    handlers: all,
    handlerTimeoutMs: 5_000,
    clock: systemClock,
    log: recording.log,
    trace: noTrace,
    recording,
  };
}

const driftRows = async (db: Database) =>
  (await db.select().from(drift).orderBy(asc(drift.path), asc(drift.shape))).map(
    ({ kind, finding, path, shape, count: times }) => `${kind} ${finding} ${path} ${shape} ${times}`,
  );

const withMessage = (mid: string, content: object): InstagramEvent =>
  testEvent(mid, { data: { sender: { id: "1" }, message: { mid, ...content } } as Json });

test("a mismatch marks its event, which is stored and handled like any other", async () => {
  const { db } = await openTestStore();
  const seen: unknown[] = [];
  const options = optionsFor(db, {
    message: ({ key, drifted, data }) => void seen.push([key, drifted, data]),
  });
  const odd = withMessage("odd", { text: 7 });
  const good = withMessage("good", { text: "x" });
  expect(await ingest(testBatch("d1", [odd, good]), options)).toEqual({ inserted: 2, duplicates: 0 });
  expect(seen).toEqual([
    ["message:1:odd", true, odd.data],
    ["message:1:good", false, good.data],
  ]);
  const rows = await db.select({ key: events.key, drifted: events.drifted }).from(events).orderBy(asc(events.key));
  expect(rows).toEqual([
    { key: "message:1:good", drifted: false },
    { key: "message:1:odd", drifted: true },
  ]);
  expect(options.recording.of("ingestion.committed")).toMatchObject([{ inserted: 2, drifted: 1 }]);
});

test("counts the differences in new events: how often, first, last, and the last event", async () => {
  const { db } = await openTestStore();
  const options = optionsFor(db);
  const at = (iso: string) => ({ ...options, clock: { ...systemClock, nowMs: () => Date.parse(iso) } });
  const first = testBatch("d1", [
    withMessage("a", { is_ai: true }),
    withMessage("b", { is_ai: false, text: null }),
    // Of equal keys the first is the event.
    withMessage("b", { is_new: 1 }),
    testEvent("u", { kind: "unknown", data: { field: "follow", value: {} } }),
  ]);
  await ingest(first, at("2026-01-31T12:00:00Z"));
  await ingest(first, at("2026-01-31T13:00:00Z"));
  await ingest(testBatch("d2", [withMessage("b", { is_ai: 1 })]), at("2026-01-31T13:00:00Z"));
  await ingest(testBatch("d3", [withMessage("c", { is_ai: true })]), at("2026-01-31T14:00:00Z"));
  expect(await driftRows(db)).toEqual([
    "unknown unknown_kind field=follow object 1",
    "message unknown_field message.is_ai boolean 3",
    "message mismatch message.text null 1",
  ]);
  const row = (await db.select().from(drift)).find(({ path }) => path === "message.is_ai");
  expect(row).toMatchObject({
    firstSeen: new Date("2026-01-31T12:00:00Z"),
    lastSeen: new Date("2026-01-31T14:00:00Z"),
  });
  const last = (await db.select().from(events)).find(({ key }) => key === "message:1:c");
  expect(row?.eventId).toBe(last?.id);
});

test("ten at once count every event and do not deadlock", async () => {
  const { db } = await openTestStore();
  const fields = Array.from({ length: 20 }, (_, index) => `is_${String.fromCodePoint(97 + index)}`);
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => {
      const turned = [...fields.slice(index * 2), ...fields.slice(0, index * 2)];
      // The events' own order is that of their keys: the fields' is another.
      const batch = turned.map((field, at) => withMessage(`${index}-${at + 10}`, { [field]: 1 }));
      return ingest(testBatch(`d${index}`, batch), optionsFor(db));
    }),
  );
  expect(await driftRows(db)).toEqual(fields.map((field) => `message unknown_field message.${field} number 10`));
});

test("an unlimited number of made-up keys fills neither the table nor the log", async () => {
  const { db } = await openTestStore();
  const options = optionsFor(db);
  const letters = (number: number) => String(number).replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "");
  const batchOf = (from: number) =>
    testBatch(
      `d${from}`,
      Array.from({ length: 50 }, (_, event) =>
        withMessage(
          `${from}-${event}`,
          Object.fromEntries(Array.from({ length: 100 }, (_key, key) => [letters(from + event * 100 + key), "words"])),
        ),
      ),
    );
  await ingest(testBatch("d", [withMessage("known", { is_ai: true })]), options);
  await ingest(batchOf(10_000), options);
  await ingest(batchOf(20_000), options);
  await ingest(testBatch("e", [withMessage("again", { is_ai: true })]), options);
  const [rows] = await db.select({ rows: count() }).from(drift);
  expect(rows?.rows).toBeLessThanOrEqual(driftRowsMax + 1);
  const all = await driftRows(db);
  expect(all).toContain("message unknown_field message.is_ai boolean 2");
  expect(all.filter((row) => row.includes(" * "))).toHaveLength(1);
  expect(JSON.stringify([options.recording.lines, all])).not.toContain("words");
});

test("any JSON is stored as any kind, and its values appear nowhere else", async () => {
  const { db } = await openTestStore();
  const options = optionsFor(db);
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
      expect(ingested).toEqual({ inserted: items.length, duplicates: 0 });
    }),
    { numRuns: 40, seed: 23 },
  );
  const rows = await db.select().from(drift);
  expect(rows.length).toBeGreaterThan(5);
  expect(JSON.stringify([rows, options.recording.lines])).not.toContain("secret");
});
