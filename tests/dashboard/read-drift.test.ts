import { expect, test } from "vitest";

import { parseDriftFilter, readDrift } from "#dashboard/read-drift.ts";
import { drift } from "#store/schema.ts";

import { openTestStore } from "../support/store.ts";

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
