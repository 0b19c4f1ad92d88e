import { expect, test } from "vitest";

import { parseEventFilter, readEvents } from "#dashboard/read-events.ts";
import { deliveryEvents } from "#store/schema.ts";

import { openTestStore } from "../support/store.ts";
import { eventRow, insertEvents, type EventRow } from "./rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");
const row = (key: string, rest: Partial<EventRow> = {}) =>
  eventRow({ key, deliveryId: "d_1", ingestedAt: at, ...rest });
const filter = (query: Record<string, string> = {}) => parseEventFilter(new URLSearchParams(query));

async function openWith(rows: EventRow[]) {
  const { db } = await openTestStore();
  const ids = await insertEvents(db, rows);
  return {
    db,
    ids,
    keys: async (query: Record<string, string>) =>
      (await readEvents(db, filter(query))).events.map((event) => event.key),
  };
}

test("an event has every field, with its times in ISO 8601 and its data parsed", async () => {
  const { db, ids } = await openWith([
    row("k1", {
      senderId: null,
      sentAt: null,
      handledAt: null,
      handlerError: "TypeError",
      data: '{"b":1,"a":"9007199254740993"}',
    }),
  ]);
  expect(await readEvents(db, filter())).toEqual({
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
        deliveryId: "d_1",
        ingestedAt: "2026-01-31T12:00:00.000Z",
        handledAt: null,
        handlerError: "TypeError",
        erasedAt: null,
        data: { b: 1, a: "9007199254740993" },
      },
    ],
    nextCursor: null,
  });
});

test("pages are newest first, complete and without repeats, also while events are stored", async () => {
  const { db } = await openWith(["k1", "k2", "k3", "k4", "k5"].map((key) => row(key)));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await readEvents(db, filter({ limit: "2", ...(cursor === null ? {} : { cursor }) }));
    seen.push(...page.events.map((event) => event.key));
    cursor = page.nextCursor;
    await insertEvents(db, [row(`new-${seen.length}`)]);
  } while (cursor !== null);
  expect(seen).toEqual(["k5", "k4", "k3", "k2", "k1"]);
});

test("a page that ends with the last event has no next", async () => {
  const { db } = await openWith([row("k1"), row("k2")]);
  expect((await readEvents(db, filter({ limit: "2" }))).nextCursor).toBeNull();
});

test("filters by kind, account and time of ingestion", async () => {
  const { keys } = await openWith([
    row("early", { ingestedAt: new Date("2026-01-30T23:59:59.999Z") }),
    row("comment", { kind: "comment" }),
    row("other", { accountId: "2" }),
    row("late", { ingestedAt: new Date("2026-02-01T00:00:00Z") }),
  ]);
  expect(await keys({ kind: "comment" })).toEqual(["comment"]);
  expect(await keys({ account: "2" })).toEqual(["other"]);
  expect(await keys({ from: "2026-01-31", to: "2026-02-01" })).toEqual(["other", "comment"]);
  expect(await keys({ from: "2026-02-01T01:00:00+01:00" })).toEqual(["late"]);
  expect(await keys({ kind: "", account: "" })).toHaveLength(4);
});

test("a delivery's events include those that an earlier delivery brought", async () => {
  const { db, ids, keys } = await openWith([row("first"), row("second", { deliveryId: "d_2" })]);
  await db.insert(deliveryEvents).values({ deliveryId: "d_2", eventId: ids[0] ?? 0 });
  expect(await keys({ deliveryId: "d_1" })).toEqual(["first"]);
  expect(await keys({ deliveryId: "d_2" })).toEqual(["second", "first"]);
  expect(await keys({ deliveryId: "d_3" })).toEqual([]);
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
])("the parameter %s=%j is refused by name", (name, value) => {
  expect(() => filter({ [name]: value })).toThrow(
    expect.objectContaining({ code: "REQUEST_INVALID", message: expect.stringMatching(`^${name} `) as unknown }),
  );
});
