import { expect, test } from "vitest";

import { type PulseList, parsePulseMarks } from "#dashboard/status/pulse-query.ts";
import { createPulse, type Pulse } from "#dashboard/status/read-pulse.ts";
import { openReads } from "#store/connection/database.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";
import { deadLetterGroups, deadLetters, replays } from "#store/schema/operations-schema.ts";

import { countQueries } from "../../support/count-queries.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { openTestStore } from "../../support/store.ts";
import { deliveryRow, eventRow, insertEvents, insertOpenEvent } from "../rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");
const marks = (query: Record<string, string> = {}) => parsePulseMarks(new URLSearchParams(query));
const event = (key: string) => eventRow({ key, deliveryId: "d_1", ingestedAt: at });

async function setUp() {
  const { db, url } = await openTestStore();
  const reads = openReads(url);
  const clock = createManualClock(at.getTime());
  let judged = 0;
  const readStatus = async () => {
    judged += 1;
    return "ok" as const;
  };
  const readPulse = createPulse({ openReads: () => reads.db, readStatus, clock });
  return {
    db,
    reads,
    clock,
    readPulse,
    judged: () => judged,
    /** The lists that have changed since. */
    async changedSince({ changed }: Pulse): Promise<PulseList[]> {
      await clock.advance(2_000);
      const now = await readPulse(marks());
      return (Object.keys(changed) as PulseList[]).filter((list) => changed[list] !== now.changed[list]);
    },
  };
}

test("a version changes with the rows of its list, and with no other's", async () => {
  const { db, readPulse, changedSince, clock, reads } = await setUp();
  const steps: [PulseList[], () => Promise<unknown>][] = [
    [[], async () => {}],
    [["events"], () => insertEvents(db, [event("k1")])],
    [["events"], () => insertOpenEvent(db, event("k2"))],
    [["events"], () => db.execute("update relay.event_work set fence = fence + 1")],
    [["events"], () => db.execute("update relay.event_work set state = 'dead'")],
    [["deliveries"], () => db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt: at }))],
    [["deliveries"], () => db.update(deliveries).set({ handledAt: at })],
    [[], () => db.insert(deliveries).values(deliveryRow({ id: "d_2", receivedAt: at, probe: true }))],
    [["deadLetters"], () => db.insert(deadLetterGroups).values({ fingerprint: "f", cause: "handler", firstAt: at })],
    [["deadLetters"], () => db.insert(deadLetters).values({ source: "handler", sourceId: "1", groupId: 1 })],
    [["deadLetters"], () => db.update(deadLetters).set({ resolvedAt: at })],
    [["deadLetters"], () => db.update(deadLetterGroups).set({ state: "acknowledged", changedAt: at })],
    [
      ["replays"],
      () =>
        db.insert(replays).values({
          id: "rp_1",
          mode: "again",
          filter: "{}",
          reason: "r",
          actor: "a",
          plan: "{}",
          eventIdMax: 1,
          total: 0,
        }),
    ],
    [["replays"], () => db.update(replays).set({ cursor: 5 })],
  ];
  for (const [index, [lists, change]] of steps.entries()) {
    await clock.advance(2_000);
    const before = await readPulse(marks());
    await change();
    expect([index, await changedSince(before)]).toEqual([index, lists]);
  }
  await reads.close();
});

test("new rows are counted after each mark; without a mark they are unknown", async () => {
  const { db, readPulse, reads } = await setUp();
  const [first = 0] = await insertEvents(db, [event("k1"), event("k2"), event("k3")]);
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: "d_1", receivedAt: at }),
      deliveryRow({ id: "d_2", receivedAt: new Date(at.getTime() + 1) }),
      deliveryRow({ id: "d_3", receivedAt: new Date(at.getTime() + 2), probe: true }),
    ]);
  expect((await readPulse(marks({ events: String(first), deliveries: at.toISOString() }))).new).toEqual({
    events: 2,
    deliveries: 1,
    deadLetters: null,
    replays: null,
    alerts: null,
    audit: null,
  });
  expect((await readPulse(marks({ events: "0", audit: "0", replays: "2026-01-01" }))).new).toMatchObject({
    events: 3,
    audit: 0,
    replays: 0,
  });
  await reads.close();
});

test("pages that ask at the same time share two statements for two seconds, and a status for fifteen", async () => {
  const { readPulse, reads, clock, judged } = await setUp();
  const sent = countQueries(reads.pool);
  const statements = () => sent.filter((text) => text === "prepared").length;
  const ask = () => Promise.all(Array.from({ length: 50 }, () => readPulse(marks({ events: "0" }))));
  await ask();
  await ask();
  expect([statements(), judged()]).toEqual([2, 1]);
  await clock.advance(2_000);
  await ask();
  expect([statements(), judged()]).toEqual([4, 1]);
  await clock.advance(15_000);
  await ask();
  expect(judged()).toBe(2);
  await reads.close();
});

test("an answer that failed is not kept", async () => {
  const { db, readPulse, reads } = await setUp();
  await db.execute("alter table relay.replays rename to elsewhere");
  await expect(readPulse(marks())).rejects.toThrow("Failed query");
  await db.execute("alter table relay.elsewhere rename to replays");
  expect(await readPulse(marks())).toMatchObject({ status: "ok" });
  await reads.close();
});

test.each([
  ["events=x", "events must be the id of a row, or 0"],
  ["events=1&events=2", "events is given more than once"],
  ["deliveries=1", /^deliveries must be a date/],
  ["other=1", "other is no parameter of this"],
])("the query %s is refused", (query, message) => {
  expect(() => parsePulseMarks(new URLSearchParams(query))).toThrow(message);
});
