import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { InstagramEvent, Json } from "#instagram/events.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { batchEventsMax, encodeBatches } from "#queue/encode-batch.ts";

import { thrownBy } from "../support/thrown-by.ts";

/** QStash's; other queues have others. */
const batchBytesMax = 600_000;
const facts = {
  id: "d1",
  runtime: "nodejs",
  region: "iad1",
  deployment: "dpl_1",
  coldStart: true,
  receivedAtMs: 1_700_000_000_000,
  bodyBytes: 1,
  secretIndex: 2,
  probe: true,
  ackMs: 0.25,
  publishStartedAtMs: 1_700_000_000_001,
} as const;
const event = (index: number, data: Json = { index }): InstagramEvent => ({
  key: `unknown:#${index}`,
  kind: "unknown",
  accountId: "",
  senderId: "s",
  occurredAtMs: null,
  sentAtMs: null,
  standby: true,
  test: true,
  data,
});
const roundTrip = (events: InstagramEvent[]) =>
  encodeBatches(facts, events, batchBytesMax).map(({ body }) => decodeBatch(new TextDecoder().decode(body)));

describe("encodeBatches() and decodeBatch()", () => {
  test("keep every field", () => {
    const odd: Json = {
      nul: "\0",
      half: "\ud83d",
      astral: "🚀",
      slash: "\\/",
      big: "12345678901234567890",
      __proto__x: null,
    };
    expect(roundTrip([event(1, odd)])).toEqual([
      { version: 2, delivery: { ...facts, batch: [0, 1] }, events: [event(1, odd)] },
    ]);
  });

  test("split many events by number, in order, without loss", () => {
    const events = Array.from({ length: 2 * batchEventsMax + 1 }, (_, index) => event(index));
    const batches = roundTrip(events);
    expect(batches.map((batch) => batch.events.length)).toEqual([batchEventsMax, batchEventsMax, 1]);
    expect(batches.map((batch) => batch.delivery.batch)).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    expect(batches.flatMap((batch) => batch.events)).toEqual(events);
  });

  test("split by bytes, not characters", () => {
    const events = Array.from({ length: 10 }, (_, index) => event(index, "€".repeat(50_000)));
    const encoded = encodeBatches(facts, events, batchBytesMax);
    for (const { body } of encoded) expect(body.byteLength).toBeLessThanOrEqual(batchBytesMax);
    expect(encoded.length).toBe(4);
  });

  test("give an event that is too large for any message one of its own", () => {
    const batches = roundTrip([event(1), event(2, "x".repeat(batchBytesMax + 1)), event(3)]);
    expect(batches.map((batch) => batch.events.map(({ key }) => key))).toEqual([
      ["unknown:#1"],
      ["unknown:#2"],
      ["unknown:#3"],
    ]);
  });

  test("keep the limits, the order and every event, in as few batches as possible", () => {
    const length = fc.oneof({ weight: 20, arbitrary: fc.constant(3) }, fc.constantFrom(900, 9_000, 250_000, 600_000));
    const limit = fc.constantFrom(batchBytesMax, 100_000);
    const text = fc.tuple(length, fc.constantFrom("x", "é", "€", "🚀", '"', "\0"));
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 450 }),
        fc.integer({ min: 1, max: 3_000_000 }),
        limit,
        (texts, bodyBytes, bytesMax) => {
          const events = texts.map(([units, unit], index) => event(index, unit.repeat(units / unit.length)));
          const encoded = encodeBatches({ ...facts, bodyBytes }, events, bytesMax);
          const batches = encoded.map(({ body }) => decodeBatch(new TextDecoder().decode(body)));
          expect(batches.flatMap((batch) => batch.events)).toEqual(events);
          expect(encoded.map((batch) => batch.events)).toEqual(batches.map((batch) => batch.events));
          for (const [index, batch] of batches.entries()) {
            const bytes = encoded[index]?.body.byteLength ?? 0;
            expect(batch.delivery.batch).toEqual([index, batches.length]);
            expect(batch.events.length).toBeLessThanOrEqual(batchEventsMax);
            expect(batch.events.length > 1 && bytes > bytesMax).toBe(false);
            // A batch is full: the next event finds no room in it.
            const next = batches[index + 1]?.events[0];
            const isFull = next === undefined || batch.events.length === batchEventsMax;
            const nextBytes = new TextEncoder().encode(JSON.stringify(next ?? null)).byteLength + 1;
            expect(isFull || bytes + nextBytes > bytesMax).toBe(true);
          }
        },
      ),
      { numRuns: 40, seed: 13 },
    );
  });

  test("make one batch of nothing", () => {
    expect(roundTrip([])).toMatchObject([{ delivery: { batch: [0, 1] }, events: [] }]);
  });
});

describe("decodeBatch()", () => {
  const valid = { version: 2, delivery: { ...facts, batch: [0, 1] }, events: [event(1, "the customer's words")] };
  test.each([
    ["not JSON", "the customer's words", "not JSON"],
    ["null", "null", "see"],
    ["without a version", JSON.stringify({ ...valid, version: undefined }), "version"],
    ["of a version that never was", JSON.stringify({ ...valid, version: 0 }), "version"],
    ["without a delivery", JSON.stringify({ ...valid, delivery: undefined }), "delivery"],
    [
      "of another runtime",
      JSON.stringify({ ...valid, delivery: { ...valid.delivery, runtime: "bun" } }),
      "delivery.runtime",
    ],
    ["of an unknown kind", JSON.stringify({ ...valid, events: [{ ...event(1), kind: "story" }] }), "events.0.kind"],
    ["with an empty key", JSON.stringify({ ...valid, events: [{ ...event(1), key: "" }] }), "events.0.key"],
    ["with no data", JSON.stringify({ ...valid, events: [{ ...event(1), data: undefined }] }), "events.0.data"],
  ])("refuses a body that is %s, and names the place but not the value", (_name, body, place) => {
    const thrown = thrownBy(() => decodeBatch(body));
    expect(thrown).toMatchObject({ code: "BATCH_INVALID", status: 489 });
    expect(thrown).toMatchObject({ message: expect.stringContaining(place) });
    expect(thrown).not.toMatchObject({ message: expect.stringContaining("customer") });
  });

  test.each([1e300, -1, 0.5, "soon", undefined])("takes %s for no time at all", (time) => {
    const batch = { ...valid, events: [{ ...event(1), sentAtMs: time, occurredAtMs: time }, event(2)] };
    const { events } = decodeBatch(JSON.stringify(batch));
    expect(events).toEqual([{ ...event(1), sentAtMs: null, occurredAtMs: null }, event(2)]);
  });

  test("reads version 1, which called the batch a chunk, as version 2", () => {
    const { batch: chunk, ...delivery } = { ...valid.delivery, batch: [1, 3] };
    const old = { ...valid, version: 1, delivery: { ...delivery, chunk } };
    expect(decodeBatch(JSON.stringify(old))).toEqual({ ...valid, delivery: { ...delivery, batch: [1, 3] } });
  });

  test("reads a batch of a release that knew neither its deployment nor the time of the ack", () => {
    const unknown = { deployment: null, ackMs: null, publishStartedAtMs: null };
    const delivery = { ...valid.delivery, ...unknown };
    const old = JSON.parse(JSON.stringify(valid)) as { delivery: Record<string, unknown> };
    for (const name of Object.keys(unknown)) delete old.delivery[name];
    expect(decodeBatch(JSON.stringify(old))).toEqual({ ...valid, delivery });
  });

  test("asks for another delivery of a version that only a newer release reads", () => {
    const newer = { version: 3, delivery: "other", events: "other" };
    expect(thrownBy(() => decodeBatch(JSON.stringify(newer)))).toMatchObject({
      code: "BATCH_VERSION_UNKNOWN",
      status: 503,
      message: expect.stringContaining("version 3"),
    });
  });

  test("ignores what a later version may add", () => {
    expect(decodeBatch(JSON.stringify({ ...valid, added: 1 })).events).toHaveLength(1);
  });
});
