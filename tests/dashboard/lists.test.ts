/** What lists have in common: pages while rows arrive, totals, exports, and rows of any size. */
import { randomBytes } from "node:crypto";

import { sql } from "drizzle-orm";
import { expect, test } from "vitest";

import { parseDeliveryFilter } from "#dashboard/deliveries/delivery-filter.ts";
import { readDeliveries } from "#dashboard/deliveries/read-deliveries.ts";
import { answerEvents, beginsExport, eventLines } from "#dashboard/events/answer-events.ts";
import { parseEventFilter } from "#dashboard/events/event-filter.ts";
import { readEvents } from "#dashboard/events/read-events.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";
import { deliveryUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";

import { openTestStore } from "../support/store.ts";
import { deliveryRow, eventRow, ingested, insertEvents, linkDuplicate } from "./rows.ts";

type Query = Record<string, string>;

const at = new Date("2026-01-31T12:00:00.000Z");
const event = (key: string, rest = {}) => eventRow({ key, deliveryId: "d_1", ingestedAt: at, ...rest });
const events = (db: Database, query: Query, clock = standing) =>
  readEvents(db, parseEventFilter(new URLSearchParams(query)), clock);
const list = (db: Database, query: Query, clock = standing) =>
  readDeliveries(db, parseDeliveryFilter(new URLSearchParams(query)), clock);

/** No step takes any time. */
const standing = { monotonicMs: () => 0 };

/** Each look at it is a step's time after the one before. */
const slow = () => {
  let nowMs = 0;
  return { monotonicMs: () => (nowMs += 300) };
};

test("events of a filter are each on one page, though others arrive between the pages", async () => {
  const { db } = await openTestStore();
  const rows = Array.from({ length: 16 }, (_, index) =>
    event(`k${index}`, { kind: index % 2 === 0 ? "comment" : "message", drifted: index % 4 < 2 }),
  );
  await insertEvents(db, rows);
  for (const query of [{ kind: "comment" }, { drifted: "true" }, { q: "k1" }] as Query[]) {
    const expected = (await events(db, query)).events.map(({ key }) => key);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await events(db, { ...query, limit: "3", cursor });
      seen.push(...page.events.map(({ key }) => key));
      cursor = page.nextCursor;
      await insertEvents(db, [
        event(`k1 after ${seen.length} ${Object.keys(query)[0]}`, { kind: "comment", drifted: true }),
      ]);
    }
    expect([query, seen]).toEqual([query, expected]);
  }
});

test("deliveries are each on one page, though others arrive, some in the same millisecond", async () => {
  const { db } = await openTestStore();
  const row = (id: string, ms: number) => deliveryRow({ id, receivedAt: new Date(at.getTime() + ms), region: "iad1" });
  const rows = Array.from({ length: 20 }, (_, i) => row(`d_${i}`, Math.floor(i / 5)));
  await db.insert(deliveries).values(rows);
  for (const query of [{}, { region: "iad1" }] as Query[]) {
    const before = new Set((await list(db, { ...query, limit: "200" })).deliveries.map(({ id }) => id));
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await list(db, { ...query, limit: "3", cursor });
      seen.push(...page.deliveries.map(({ id }) => id));
      cursor = page.nextCursor;
      const name = `later ${seen.length} ${JSON.stringify(query)}`;
      await db.insert(deliveries).values([row(name, 3), row(`${name} newest`, 10)]);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.has(id))).toHaveLength(before.size);
  }
});

test("a total is exact up to 10,000, and of all pages", async () => {
  const { db } = await openTestStore();
  await db.execute(sql`
    insert into relay.events (id, ingested_at, delivery_id, batch_index, standby, test, drifted, kind, account_id, key, data)
    select nextval('relay.event_ids'), now(), ${deliveryUuid("d_1")}, 0, false, false, i % 2 = 0,
      case when i = 7 then 'comment' else 'message' end, '1', 'key ' || i, '{}'
    from generate_series(1, 10001) i`);
  const total = async (query: Query) => (await events(db, { ...query, count: "true", limit: "2", data: "none" })).total;
  expect(await total({})).toEqual({ count: 10_000, isCapped: true });
  expect(await total({ kind: "message" })).toEqual({ count: 10_000, isCapped: false });
  expect(await total({ kind: "comment" })).toEqual({ count: 1, isCapped: false });
  expect(await total({ drifted: "true" })).toEqual({ count: 5_000, isCapped: false });
  expect(await total({ kind: "reaction" })).toEqual({ count: 0, isCapped: false });
  expect(await total({ to: "2026-01-01" })).toEqual({ count: 0, isCapped: false });
  const page = await events(db, { count: "true", limit: "2" });
  expect((await events(db, { count: "true", limit: "2", cursor: page.nextCursor ?? "" })).total).toEqual(page.total);
  expect(await events(db, { limit: "2" })).not.toHaveProperty("total");
  // What was not looked at in time may match, too.
  const hurried = await events(db, { drifted: "true", count: "true" }, slow());
  expect(hurried.total).toEqual({ count: 250, isCapped: true });
});

test("deliveries are counted, found where they are few, and probes are listed alone", async () => {
  const { db } = await openTestStore();
  await db.insert(deliveries).values([
    deliveryRow({ id: "published", receivedAt: at, ...ingested({ deliveredAt: at }) }),
    deliveryRow({ id: "retried", receivedAt: at, errorType: "PUBLISH_TIMEOUT", ...ingested({ deliveredAt: at }) }),
    deliveryRow({
      id: "fell back",
      receivedAt: at,
      outcome: null,
      ...ingested({ deliveredAt: at, via: "fallback" }),
    }),
    deliveryRow({
      id: "recovered",
      receivedAt: at,
      outcome: "lost",
      errorType: "FALLBACK_TIMEOUT",
      ...ingested({ deliveredAt: at }),
    }),
    deliveryRow({ id: "lost", receivedAt: at, outcome: "lost", errorType: "FALLBACK_TIMEOUT" }),
    deliveryRow({ id: "refused", receivedAt: at, outcome: "refused", errorType: "FALLBACK_TIMEOUT" }),
    deliveryRow({ id: "probe", receivedAt: at, probe: true }),
  ]);
  const names = new Map(
    ["published", "retried", "fell back", "recovered", "lost", "refused", "probe"].map((name) => [
      deliveryUuid(name),
      name,
    ]),
  );
  const find = async (query: Query) => {
    const page = await list(db, { ...query, count: "true" });
    expect(page.total).toEqual({ count: page.deliveries.length, isCapped: false });
    return page.deliveries.map(({ id }) => names.get(id) ?? "").toSorted((a, b) => (a < b ? -1 : 1));
  };
  expect(await find({})).toHaveLength(6);
  expect(await find({ outcome: "lost" })).toEqual(["lost"]);
  expect(await find({ outcome: "refused" })).toEqual(["refused"]);
  expect(await find({ outcome: "fallback" })).toEqual(["fell back", "recovered"]);
  expect(await find({ outcome: "published" })).toEqual(["published", "retried"]);
  expect(await find({ error: "PUBLISH_TIMEOUT" })).toEqual(["retried"]);
  expect(await find({ probe: "true" })).toEqual(["probe"]);
  expect(await find({ probe: "true", outcome: "published" })).toEqual(["probe"]);
  expect(await find({ probe: "false", region: "fra1", ackMsMin: "3" })).toHaveLength(6);
  const stopped = await list(db, { region: "nowhere", limit: "1" }, slow());
  expect([stopped.deliveries, stopped.scannedTo]).toEqual([[], at.toISOString()]);
});

test("q that is the id of a message or comment finds its events alone", async () => {
  const { db } = await openTestStore();
  const account = "17841400000000001";
  await insertEvents(db, [
    event(`message:${account}:mid_1`),
    event(`message.edited:${account}:mid_1:1`, { kind: "message.edited" }),
    event(`comment:${account}:18050000000000001`, { kind: "comment" }),
    event("quotes both", { data: JSON.stringify({ text: "mid_1 and 18050000000000001" }) }),
  ]);
  const keys = async (q: string) => (await events(db, { q, count: "true" })).events.map(({ key }) => key);
  expect(await keys("mid_1")).toEqual([`message.edited:${account}:mid_1:1`, `message:${account}:mid_1`]);
  expect(await keys("18050000000000001")).toEqual([`comment:${account}:18050000000000001`]);
  expect(await keys("mid_")).toHaveLength(3);
});

test("an export has a line for each event, as large as it may be, and names the place of the next page", async () => {
  const { db } = await openTestStore();
  const huge = randomBytes(5_000_000).toString("hex");
  const large = () => JSON.stringify({ text: randomBytes(300_000).toString("hex") });
  await insertEvents(db, [
    event("a", { data: JSON.stringify({ text: "line\nbreak", id: "9007199254740993" }) }),
    event("huge", { data: JSON.stringify({ text: huge }) }),
    ...["b", "c", "d"].map((key) => event(key, { data: large() })),
  ]);
  const pages: string[][] = [];
  let cursor: string | null = "";
  let bytes = 0;
  while (cursor !== null) {
    const response: Response = eventLines(await events(db, { format: "ndjson", limit: "1000", cursor }));
    expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    const text = await response.text();
    bytes += text.length;
    const lines = text.trimEnd().split("\n");
    pages.push(lines.map((line) => (JSON.parse(line) as { key: string }).key));
    cursor = response.headers.get("x-next-cursor");
  }
  expect(pages).toEqual([["d", "c"], ["b", "huge"], ["a"]]);
  expect(bytes).toBeGreaterThan(10_000_000);
  expect(await eventLines({ events: [], nextCursor: null, scannedTo: null }).text()).toBe("");
  // A text is searched for in such rows, too, and none of them makes a step long.
  expect((await events(db, { q: "LINE" })).events.map(({ key }) => key)).toEqual(["a"]);
  expect((await events(db, { q: huge.slice(-20).toUpperCase(), data: "none" })).events.map(({ key }) => key)).toEqual([
    "huge",
  ]);
});

test("an export begins with its first page, or with a cursor that no page of it gave out; only it has a thousand events", async () => {
  const { db } = await openTestStore();
  await insertEvents(db, [event("a"), event("b"), event("c")]);
  const nowMs = Date.now();
  const options = { readSecrets: () => ["new", "old"], clock: { ...systemClock, nowMs: () => nowMs } };
  const begins = (query: string, laterMs = 0) =>
    beginsExport(new Request(`http://localhost/api/ops/events?${query}`), { ...options, nowMs: nowMs + laterMs });
  const ask = async (query: string) => {
    const answer = await answerEvents(new URLSearchParams(query), { db, ...options });
    if (!(answer instanceof Response)) throw new Error("It is no export");
    return { text: await answer.text(), cursor: encodeURIComponent(answer.headers.get("x-next-cursor") ?? "") };
  };
  const first = await ask("format=ndjson&limit=2");
  const next = `format=ndjson&limit=2&cursor=${first.cursor}`;
  expect((await ask(next)).text).toContain('"key":"a"');
  const invented = `format=ndjson&limit=2&cursor=${first.cursor.split(".")[0]}`;
  expect(
    await Promise.all([
      begins("format=ndjson"),
      begins("format=ndjson&cursor="),
      begins(invented),
      begins(`${next}0`),
      begins(`${next}&kind=message`),
      begins(next, 10 * 60_000),
      begins(next),
      begins("limit=2"),
    ]),
  ).toEqual([true, true, true, true, true, true, false, false]);
  expect((await ask(invented)).text).toContain('"key":"a"');
  const limit = (query: string) => parseEventFilter(new URLSearchParams(query)).limit;
  expect(limit("format=ndjson&limit=1000")).toBe(1_000);
  expect(() => limit("limit=201")).toThrow("limit must be at most 200");
  expect(() => limit("format=ndjson&limit=1001")).toThrow("limit must be a whole number");
});

test("a delivery's events are counted with those that an earlier one brought", async () => {
  const { db } = await openTestStore();
  await db
    .insert(deliveries)
    .values(["d_1", "d_2"].map((id) => deliveryRow({ id, receivedAt: at, ...ingested({ deliveredAt: at }) })));
  const [first = 0] = await insertEvents(db, [event("a"), event("b"), event("c", { deliveryId: "d_2" })]);
  await linkDuplicate(db, "d_2", first);
  expect((await events(db, { deliveryId: "d_2", count: "true" })).total).toEqual({ count: 2, isCapped: false });
});
