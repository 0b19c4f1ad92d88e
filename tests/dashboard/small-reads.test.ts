import { expect, test } from "vitest";

import { answerOps } from "#dashboard/answer-ops.ts";
import { parseDeadLetterFilter, readDeadLetters } from "#dashboard/read-dead-letters.ts";
import { readHandlerCounts } from "#dashboard/read-handler-counts.ts";
import { readOverview } from "#dashboard/read-overview.ts";
import { overviewQuery } from "#dashboard/overview-query.ts";
import { openDatabase } from "#store/database.ts";
import { deadLetters, deliveries, handlerCounts } from "#store/schema.ts";

import { createTestAccess, opsToken } from "../support/ops-access.ts";
import { openTestStore } from "../support/store.ts";
import { deliveryRow, eventRow, insertEvents } from "./rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");

test("dead letters are listed newest first, page by page, also those of the same time", async () => {
  const { db } = await openTestStore();
  const rest = { messageId: "m", deliveryId: null, url: "http://127.0.0.1/x", status: 503, retried: 5 };
  const later = new Date(at.getTime() + 1);
  await db.insert(deadLetters).values([
    { id: "a", recordedAt: at, ...rest },
    { id: "b", recordedAt: at, ...rest },
    { id: "c", recordedAt: later, ...rest },
  ]);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1", ...(cursor === null ? {} : { cursor }) });
    const page = await readDeadLetters(db, parseDeadLetterFilter(query));
    seen.push(...page.deadLetters.map((letter) => letter.id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual(["c", "b", "a"]);
  const [first] = (await readDeadLetters(db, { limit: 1 })).deadLetters;
  expect(first).toEqual({ id: "c", recordedAt: later.toISOString(), ...rest });
});

test.each(["nonsense", "MTIz", "OTk5OTk5OTk5OTk5OTk5OmE"])("the cursor %s is refused", (cursor) => {
  expect(() => parseDeadLetterFilter(new URLSearchParams({ cursor }))).toThrow(/^cursor /);
});

test("handler counts are listed largest first", async () => {
  const { db } = await openTestStore();
  await db.insert(handlerCounts).values([
    { name: "b", count: 2 },
    { name: "c", count: 9 },
    { name: "a", count: 2 },
  ]);
  expect((await readHandlerCounts(db)).map(({ name }) => name)).toEqual(["c", "a", "b"]);
});

test("the overview knows the runtime of every delivery on its page", async () => {
  const { db } = await openTestStore();
  await db.insert(deliveries).values(deliveryRow({ id: "d_1", receivedAt: at, runtime: "nodejs" }));
  await insertEvents(db, [eventRow({ key: "k1", deliveryId: "d_1", ingestedAt: at })]);
  const { window, filter } = overviewQuery({});
  const overview = await readOverview(db, { window, filter, nowMs: at.getTime() + 1 });
  expect(overview.page.events.map((event) => overview.eventRuntimes.get(event.deliveryId))).toEqual(["nodejs"]);
});

test("the overview's address is read leniently", () => {
  expect(overviewQuery({ window: "2h", cursor: "nonsense", q: ["a", "b"] })).toMatchObject({
    window: "1h",
    q: "a",
    older: false,
    filter: { q: "a", limit: 20 },
  });
  expect(overviewQuery({ window: "7d", cursor: "MTI" })).toMatchObject({ window: "7d", older: true });
});

test.each([
  ["the store is away", 503, "STORE_UNAVAILABLE", "select 1", "postgres://nobody@127.0.0.1:1/none"],
  ["the query is wrong", 500, "INTERNAL", "select 'x'::int", undefined],
])("when %s, an ops route answers %i and the log says why", async (_name, status, code, query, address) => {
  const { url } = await openTestStore();
  const database = openDatabase(address ?? url);
  const access = createTestAccess(() => database.db);
  const headers = { authorization: `Bearer ${opsToken}` };
  const request = new Request("http://localhost/api/ops/x?secret=1", { headers });
  const response = await answerOps(request, access, () => database.db.execute(query));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
  expect(access.recording.lines).toEqual([
    expect.objectContaining({ event: "ops.refused", level: "error", path: "/api/ops/x", code }),
  ]);
  await database.close();
});
