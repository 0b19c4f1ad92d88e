import { expect, test } from "vitest";

import { parseEventFilter } from "#dashboard/events/event-filter.ts";
import { readEvents } from "#dashboard/events/read-events.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries, deliveryBatches } from "#store/schema/delivery-schema.ts";
import { handlerAttempts } from "#store/schema/event-schema.ts";

import { openTestStore } from "../../support/store.ts";
import {
  batchRow,
  deliveryRow,
  eventRow,
  type EventRow,
  ingested,
  insertEvents,
  insertOpenEvent,
  linkDuplicate,
} from "../rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");
const handledAt = new Date("2026-01-31T12:00:00.005Z");
const later = new Date("2026-01-31T12:05:00.000Z");
const row = (key: string, rest: Partial<EventRow> = {}) =>
  eventRow({ key, deliveryId: "d_1", ingestedAt: at, ...rest });
const filter = (query: Record<string, string> = {}) => parseEventFilter(new URLSearchParams(query));

async function openWith(rows: EventRow[]) {
  const { db } = await openTestStore();
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: "d_1", receivedAt: at, ...ingested({ deliveredAt: at, handledAt }) }),
      deliveryRow({ id: "d_2", receivedAt: at, runtime: "nodejs", ...ingested({ deliveredAt: at, batches: 2 }) }),
    ]);
  await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_2", deliveredAt: at }));
  const ids = await insertEvents(db, rows);
  const read = (query: Record<string, string> = {}) => readEvents(db, filter(query), clock);
  return {
    db,
    ids,
    read,
    keys: async (query: Record<string, string>) => (await read(query)).events.map(({ key }) => key),
  };
}

test("an event has every field, with its times in ISO 8601 and its data parsed", async () => {
  const { read, ids } = await openWith([
    row("k1", { senderId: null, sentAt: null, data: '{"b":1,"a":"9007199254740993"}' }),
  ]);
  expect(await read()).toEqual({
    events: [
      {
        id: ids[0],
        key: "k1",
        kind: "message",
        accountId: "17841400000000001",
        senderId: null,
        recipientId: "17841400000000001",
        occurredAt: "2026-01-31T12:00:00.000Z",
        sentAt: null,
        standby: false,
        test: false,
        drifted: false,
        deliveryId: deliveryUuid("d_1"),
        runtime: "edge",
        ingestedAt: "2026-01-31T12:00:00.000Z",
        state: "handled",
        attempts: 1,
        nextAttemptAt: null,
        handledAt: "2026-01-31T12:00:00.005Z",
        handlerError: null,
        errorCode: null,
        erasedAt: null,
        erasedBecause: null,
        storedBytes: expect.any(Number) as number,
        data: { b: 1, a: "9007199254740993" },
      },
    ],
    nextCursor: null,
    scannedTo: null,
  });
});

test("each event has one state, by which events are found, and says what comes next", async () => {
  const { db, ids, read, keys } = await openWith([
    row("handled"),
    row("handled late"),
    row("erased", { erasedAt: later, data: '{"erased":"unsent"}' }),
  ]);
  const failure = { errorName: "TypeError", errorCode: "CRM_DOWN", firstFailedAt: at };
  await insertOpenEvent(db, row("open"));
  await insertOpenEvent(db, row("retrying"), { ...failure, attempts: 3, nextAttemptAt: later });
  await insertOpenEvent(db, row("process died"), { deaths: 1 });
  await insertOpenEvent(db, row("dead"), { ...failure, attempts: 9, state: "dead" });
  const attempt = { eventId: ids[1] ?? 0, at: later, ms: 5, attempt: 2 };
  await db.insert(handlerAttempts).values([{ ...attempt, at, attempt: 1, errorName: "TypeError" }, attempt]);

  const found = Object.fromEntries((await read()).events.map((event) => [event.key, event]));
  expect(found).toMatchObject({
    handled: { state: "handled", attempts: 1, handledAt: handledAt.toISOString() },
    "handled late": { state: "handled", attempts: 2, handledAt: later.toISOString(), handlerError: null },
    erased: { state: "erased", erasedAt: later.toISOString(), erasedBecause: "unsent" },
    open: { state: "open", attempts: 1, nextAttemptAt: at.toISOString(), handledAt: null },
    retrying: { state: "retrying", attempts: 3, nextAttemptAt: later.toISOString(), handlerError: "TypeError" },
    "process died": { state: "retrying" },
    dead: { state: "dead", attempts: 9, nextAttemptAt: null, handlerError: "TypeError", errorCode: "CRM_DOWN" },
  });
  expect(await keys({ state: "handled" })).toEqual(["handled late", "handled"]);
  expect(await keys({ state: "erased" })).toEqual(["erased"]);
  expect(await keys({ state: "open" })).toEqual(["open"]);
  expect(await keys({ state: "retrying" })).toEqual(["process died", "retrying"]);
  expect((await keys({ state: "unhandled" })).toSorted()).toEqual(["open", "process died", "retrying"]);
  expect(await keys({ state: "dead" })).toEqual(["dead"]);
  expect(await keys({ error: "TypeError" })).toEqual(["dead", "retrying"]);
  expect(await keys({ error: "CRM_DOWN", state: "dead" })).toEqual(["dead"]);
  expect(await keys({ error: "Other" })).toEqual([]);
});

test("an event that was handled before its delivery as a whole is handled, though it is unknown when", async () => {
  const { db, read } = await openWith([]);
  await db
    .insert(deliveries)
    .values(deliveryRow({ id: "d_3", receivedAt: at, ...ingested({ deliveredAt: at, handledAt: null }) }));
  await insertEvents(db, [row("first", { deliveryId: "d_3" })]);
  expect((await read()).events).toMatchObject([{ state: "handled", attempts: 1, handledAt: null }]);
});

test("pages are newest first, complete and without repeats, also while events are stored", async () => {
  const { db, read } = await openWith(["k1", "k2", "k3", "k4", "k5"].map((key) => row(key)));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await read({ limit: "2", ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.events.map((event) => event.key));
    cursor = page.nextCursor;
    await insertEvents(db, [row(`new-${seen.length}`)]);
  } while (cursor !== null);
  expect(seen).toEqual(["k5", "k4", "k3", "k2", "k1"]);
});

test("a page that ends with the last event has no next", async () => {
  const { read } = await openWith([row("k1"), row("k2")]);
  expect((await read({ limit: "2" })).nextCursor).toBeNull();
  expect((await read({ limit: "2", drifted: "false" })).nextCursor).toBeNull();
});

test("filters by kind, account, sender, flags, runtime and time of ingestion, alone and together", async () => {
  const { keys } = await openWith([
    row("early", { ingestedAt: new Date("2026-01-30T23:59:59.999Z") }),
    row("comment", { kind: "comment", senderId: "5" }),
    row("other", { accountId: "2", standby: true, test: true, drifted: true, deliveryId: "d_2" }),
    row("late", { ingestedAt: new Date("2026-02-01T00:00:00Z"), deliveryId: "d_2" }),
  ]);
  expect(await keys({ kind: "comment" })).toEqual(["comment"]);
  expect(await keys({ account: "2" })).toEqual(["other"]);
  expect(await keys({ sender: "5", kind: "comment", account: "17841400000000001" })).toEqual(["comment"]);
  expect(await keys({ sender: "5", kind: "message" })).toEqual([]);
  for (const flag of ["standby", "test", "drifted"]) {
    expect(await keys({ [flag]: "true" })).toEqual(["other"]);
    expect(await keys({ [flag]: "false" })).toEqual(["late", "comment", "early"]);
  }
  expect(await keys({ runtime: "nodejs" })).toEqual(["late", "other"]);
  expect(await keys({ from: "2026-01-31", to: "2026-02-01" })).toEqual(["other", "comment"]);
  expect(await keys({ from: "2026-02-01T01:00:00+01:00" })).toEqual(["late"]);
  expect(await keys({ from: "2026-01-31", runtime: "nodejs", kind: "message" })).toEqual(["late", "other"]);
  expect(await keys({ to: "2026-01-30" })).toEqual([]);
  expect(await keys({ kind: "", account: "" })).toHaveLength(4);
});

test("the time of ingestion is exact although statements that overlap commit out of order", async () => {
  const times = Array.from(
    { length: 40 },
    (_, index) => new Date(at.getTime() + index * 10_000 + (index % 3) * 15_000),
  );
  const { keys } = await openWith(times.map((ingestedAt, index) => row(`k${index}`, { ingestedAt })));
  const from = new Date(at.getTime() + 100_000);
  const to = new Date(at.getTime() + 200_000);
  const expected = times.flatMap((time, index) => (time >= from && time < to ? [`k${index}`] : []));
  expect(await keys({ from: from.toISOString(), to: to.toISOString() })).toEqual(expected.toReversed());
});

test("a delivery's events are those of all its batches and those that an earlier delivery brought", async () => {
  const { db, ids, keys } = await openWith([
    row("first"),
    row("second", { deliveryId: "d_2" }),
    row("between"),
    row("third", { deliveryId: "d_2", batchIndex: 1 }),
  ]);
  await linkDuplicate(db, "d_2", ids[0] ?? 0);
  expect(await keys({ deliveryId: "d_1" })).toEqual(["between", "first"]);
  expect(await keys({ deliveryId: "d_2" })).toEqual(["third", "second", "first"]);
  expect(await keys({ deliveryId: "d_2", account: "2" })).toEqual([]);
  expect(await keys({ deliveryId: deliveryUuid("d_2"), limit: "1" })).toEqual(["third"]);
  expect(await keys({ deliveryId: "d_3" })).toEqual([]);
});

test("a replay's events are those it has run and those it is about to run", async () => {
  const { db, ids, keys } = await openWith([row("run"), row("other")]);
  await insertOpenEvent(db, row("waits"), { replayId: "rp_1" });
  const attempt = { eventId: ids[0] ?? 0, ms: 5, attempt: 2, replayId: "rp_1" };
  await db.insert(handlerAttempts).values([
    { ...attempt, at },
    { ...attempt, at: later },
  ]);
  expect(await keys({ replay: "rp_1" })).toEqual(["waits", "run"]);
  expect(await keys({ replay: "rp_1", state: "open" })).toEqual(["waits"]);
  expect(await keys({ replay: "rp_2" })).toEqual([]);
});

test("q finds a part of the key, the sender, the recipient or the data, in upper or lower case", async () => {
  const data = (text: string) => JSON.stringify({ text });
  const { keys } = await openWith([
    row("plain", { senderId: "4242", data: '{"text":"is it the Blue one?","mid":"mid_1"}' }),
    row("percent", { recipientId: "7777", data: data("50% off") }),
    row("underscore", { data: data("a_0") }),
    row("backslash", { data: data("C:\\") }),
    row("quoted", { data: data('say "hi" on\ntwo\nlines') }),
    row("nul", { data: data("\0") }),
  ]);
  const expected: [q: string, found: string[]][] = [
    ["MID_1", ["plain"]],
    ["PLAI", ["plain"]],
    ["242", ["plain"]],
    ["777", ["percent"]],
    ["7777", ["percent"]],
    ["blue ONE", ["plain"]],
    ["50%", ["percent"]],
    ["_0", ["underscore"]],
    ["%", ["percent"]],
    ['say "hi"', ["quoted"]],
    ["two\nlines", ["quoted"]],
    // As it stands in the JSON, structure and all.
    ['"text":"is it', ["plain"]],
    ["\\", ["nul", "quoted", "backslash"]],
    ["\0", ["nul"]],
    ["nowhere", []],
  ];
  for (const [q, found] of expected) expect([q, await keys({ q })]).toEqual([q, found]);
});

test("q that is the id of an event's key, a sender, an account or a delivery finds exactly these", async () => {
  const { keys } = await openWith([
    row("message:1:m_1", { senderId: "4242", accountId: "1789" }),
    row("message:1:m_10", { senderId: "42425", deliveryId: "d_2" }),
    row("mentions", { data: '{"text":"d_2, message:1:m_1 and 4242"}' }),
  ]);
  expect(await keys({ q: "message:1:m_1" })).toEqual(["message:1:m_1"]);
  expect(await keys({ q: "4242" })).toEqual(["message:1:m_1"]);
  expect(await keys({ q: "1789" })).toEqual(["message:1:m_1"]);
  expect(await keys({ q: deliveryUuid("d_2") })).toEqual(["message:1:m_10"]);
  expect(await keys({ q: "4242", kind: "comment" })).toEqual([]);
});

test("a text is searched for in bounded steps: a page may be empty and still have a next, which goes on from there", async () => {
  const { db } = await openWith(Array.from({ length: 100 }, (_, index) => row(`k${index}`, { senderId: `${index}` })));
  let nowMs = 0;
  // Each look at the clock takes the time of a page.
  const slow = { monotonicMs: () => (nowMs += 300) };
  const seen: string[] = [];
  const pages: [found: number, scanned: boolean][] = [];
  let cursor: string | null = null;
  do {
    const query = { q: "k7", limit: "3", ...(cursor === null ? {} : { cursor }) };
    const page = await readEvents(db, filter(query), slow);
    seen.push(...page.events.map(({ key }) => key));
    pages.push([page.events.length, page.scannedTo === at.toISOString()]);
    cursor = page.nextCursor;
  } while (cursor !== null);
  const expected = ["k7", ...Array.from({ length: 10 }, (_, index) => `k${70 + index}`)];
  expect(seen.toSorted()).toEqual(expected.toSorted());
  expect(pages[0]).toEqual([0, true]);
  expect(pages.length).toBeLessThan(100);
});

test("a page ends at one megabyte of data, but has one event at least; without data it does not end", async () => {
  const data = JSON.stringify({ text: "x".repeat(400_000) });
  const huge = JSON.stringify({ text: "x".repeat(1_500_000) });
  const { read } = await openWith([
    ...["a", "b", "c", "d"].map((key) => row(key, { data })),
    row("huge", { data: huge }),
  ]);
  const seen: string[][] = [];
  let cursor: string | null = null;
  do {
    const page = await read(cursor === null ? {} : { cursor });
    seen.push(page.events.map(({ key }) => key));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual([["huge"], ["d", "c", "b"], ["a"]]);
  const { events, nextCursor } = await read({ data: "none" });
  expect([events.length, events[0]?.data, nextCursor]).toEqual([5, null, null]);
});

test.each([
  ["limit", "0"],
  ["limit", "201"],
  ["limit", "1.5"],
  ["from", "yesterday"],
  ["from", "2026-13-01"],
  ["from", "0000-01-01"],
  ["to", "9999-12-31T23:59:59-01:00"],
  ["to", "2026-01-31T12:00:00"],
  ["cursor", "nonsense"],
  ["cursor", "LTE"],
  ["kind", "a\0b"],
  ["account", "x".repeat(301)],
  ["q", "x".repeat(301)],
  ["state", "failed"],
  ["runtime", "node"],
  ["test", "1"],
  ["data", "some"],
  ["acount", "1"],
  ["acount", ""],
  ["toString", "1"],
])("the parameter %s=%j is refused by name", (name, value) => {
  expect(() => filter({ [name]: value })).toThrow(
    expect.objectContaining({ code: "REQUEST_INVALID", message: expect.stringMatching(`^${name} `) as unknown }),
  );
});

test.each(["kind=message&kind=comment", "kind=&kind=comment", "test=true&test=true"])(
  "the repeated parameter of %s is refused",
  (query) => {
    expect(() => parseEventFilter(new URLSearchParams(query))).toThrow(/^(kind|test) is given more than once$/);
  },
);
