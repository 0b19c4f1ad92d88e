import { expect, test } from "vitest";

import { followEvents } from "#cli/follow-events.ts";
import type { EventItem, EventPage } from "#dashboard/events/read-events.ts";

import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";

type Stored = Pick<EventItem, "id" | "ingestedAt"> & { kind: string; visibleMs: number };
const startMs = Date.parse("2026-01-31T12:00:00Z");

/** `/api/ops/events` over these rows: newest first, in pages of three, of what is committed by now. */
function createList(clock: { nowMs(): number }) {
  const rows: Stored[] = [];
  let queries: Record<string, string | undefined>[] = [];
  let isDown = false;
  return {
    queries: () => queries,
    forget: () => void (queries = []),
    setDown: (down: boolean) => void (isDown = down),
    /** Stored with the time of now, and to be seen when its transaction commits. */
    add(id: number, { kind = "message", commitsAfterMs = 0, atMs = clock.nowMs() } = {}) {
      rows.push({ id, kind, ingestedAt: new Date(atMs).toISOString(), visibleMs: clock.nowMs() + commitsAfterMs });
    },
    async read(query: Record<string, string | undefined>): Promise<EventPage> {
      queries.push(query);
      if (isDown) throw new Error("down");
      const { from = "0", to = "9", kind, cursor, limit } = query;
      const size = Math.min(3, Number(limit));
      const found = rows
        .filter((row) => row.visibleMs <= clock.nowMs() && row.ingestedAt >= from && row.ingestedAt < to)
        .filter((row) => (kind === undefined || row.kind === kind) && row.id < Number(cursor ?? Infinity))
        .toSorted((a, b) => b.id - a.id);
      const page = found.slice(0, size);
      const nextCursor = found.length > size ? String(page.at(-1)?.id) : null;
      return { events: page as unknown as EventItem[], nextCursor, scannedTo: null };
    },
  };
}

function follow(options: { since?: string; filter?: Record<string, string> } = {}) {
  const clock = createManualClock(startMs);
  const list = createList(clock);
  const stop = new AbortController();
  const seen: number[] = [];
  const outages: unknown[] = [];
  const start = async () => {
    const { read } = list;
    const { since, filter = {} } = options;
    const handlers = { mayPass: () => true, onOutage: (thrown: unknown) => void outages.push(thrown) };
    for await (const events of followEvents({ read, filter, since, clock, signal: stop.signal, ...handlers })) {
      seen.push(...events.map(({ id }) => id));
    }
  };
  const advanceUntil = (count: number) =>
    eventually(`${count} events are seen`, async () => {
      await clock.advance(500);
      return seen.length >= count;
    });
  return { clock, list, stop, seen, outages, start, advanceUntil };
}

test("events are seen from now on, each once, in the order of their ids, also those that commit late", async () => {
  const { clock, list, stop, seen, start, advanceUntil } = follow();
  for (const id of [1, 2, 3, 4]) list.add(id);
  const ended = start();
  await clock.advance(1_000);
  expect(seen).toEqual([]);
  list.add(5, { commitsAfterMs: 5_900 });
  for (const id of [6, 7, 8, 9, 10, 11, 12]) list.add(id);
  await advanceUntil(8);
  expect(seen).toEqual([6, 7, 8, 9, 10, 11, 12, 5]);

  // Idle for a while, it asks only for the newest, and less often.
  await clock.advance(60_000);
  list.forget();
  await clock.advance(60_000);
  expect(list.queries().length).toBeLessThanOrEqual(13);
  expect(list.queries().every(({ limit }) => limit === "1")).toBe(true);
  list.add(13);
  await advanceUntil(9);
  stop.abort();
  await ended;
  expect(seen).toEqual([6, 7, 8, 9, 10, 11, 12, 5, 13]);
});

test("after an outage it goes on where it was, without gaps and repeats", async () => {
  const { clock, list, stop, seen, outages, start, advanceUntil } = follow({ filter: { kind: "comment" } });
  const ended = start();
  await clock.advance(1_000);
  list.add(1, { kind: "comment" });
  await advanceUntil(1);
  list.setDown(true);
  for (let id = 2; id < 80; id++) {
    list.add(id, { kind: id % 2 === 0 ? "comment" : "message" });
    await clock.advance(10_000);
  }
  expect(seen).toEqual([1]);
  expect(outages).toHaveLength(1);
  list.setDown(false);
  await advanceUntil(40);
  stop.abort();
  await ended;
  expect(outages.at(-1)).toBeNull();
  expect(seen).toEqual([1, ...Array.from({ length: 39 }, (_, index) => 2 * index + 2)]);
});

test("the past is read in slices of time, the oldest first", async () => {
  const { clock, list, stop, seen, start, advanceUntil } = follow({ since: "2026-01-30T12:00:00.000Z" });
  for (let id = 1; id <= 240; id++) list.add(id, { atMs: startMs - (245 - id) * 360_000 });
  const ended = start();
  const first = 5;
  await advanceUntil(240 - first + 1);
  stop.abort();
  await ended;
  expect(seen).toEqual(Array.from({ length: 240 - first + 1 }, (_, index) => first + index));
  expect(list.queries().filter(({ to }) => to !== undefined).length).toBeGreaterThan(5);
  expect(clock.timersLeft()).toBe(0);
});
