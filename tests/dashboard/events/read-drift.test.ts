import { expect, test } from "vitest";

import { parseDriftFilter, readDrift } from "#dashboard/events/read-drift.ts";
import { drift, driftFindings } from "#store/schema/figures-schema.ts";

import { openTestStore } from "../../support/store.ts";

test("drift is listed most recent first, up to the limit", async () => {
  const { db } = await openTestStore();
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 31, hour));
  const row = (path: string, hour: number) => ({
    kind: "message",
    path,
    finding: "unknown_field",
    shape: "string",
    count: 3,
    firstSeen: at(1),
    lastSeen: at(hour),
    eventId: hour,
  });
  await db.insert(drift).values([row("message.b", 12), row("message.c", 11), row("message.a", 12)]);
  const { drift: items } = await readDrift(db, parseDriftFilter(new URLSearchParams({ limit: "2" })));
  expect(items.map(({ path }) => path)).toEqual(["message.a", "message.b"]);
  expect(items[0]).toEqual({
    ...row("message.a", 12),
    firstSeen: "2026-01-31T01:00:00.000Z",
    lastSeen: "2026-01-31T12:00:00.000Z",
  });
  expect(() => parseDriftFilter(new URLSearchParams({ limit: "0" }))).toThrow(/^limit /);
});

test("findings that maintenance has not folded yet are counted, too", async () => {
  const { db } = await openTestStore();
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 31, hour));
  const what = { kind: "message", path: "message.a", finding: "unknown_field", shape: "string" };
  await db.insert(drift).values({ ...what, count: 3, firstSeen: at(1), lastSeen: at(2), eventId: 5 });
  await db.insert(driftFindings).values([
    { ...what, count: 1, seenAt: at(3), eventId: 8 },
    { ...what, count: 2, seenAt: at(4), eventId: 9 },
    { ...what, path: "message.b", count: 1, seenAt: at(3), eventId: 8 },
  ]);
  const { drift: items } = await readDrift(db, { limit: 50 });
  expect(items).toEqual([
    { ...what, count: 6, firstSeen: at(1).toISOString(), lastSeen: at(4).toISOString(), eventId: 9 },
    expect.objectContaining({ path: "message.b", count: 1, eventId: 8 }),
  ]);
});
