import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";

import { createFinder, find, parseFind } from "#dashboard/find/find.ts";
import { systemClock } from "#platform/clock.ts";
import { type Database, openDatabase, openReads } from "#store/connection/database.ts";
import { withStoreErrors } from "#store/connection/store-error.ts";
import { deliveryUuid, hashUuid } from "#store/ingest/delivery-uuid.ts";
import { deliveries, deliveryAttempts, deliveryBatches } from "#store/schema/delivery-schema.ts";
import { eventKeys, handlerAttempts } from "#store/schema/event-schema.ts";
import { refusals } from "#store/schema/figures-schema.ts";
import { deadLetterGroups, deadLetters, replays } from "#store/schema/operations-schema.ts";
import { erasedPeople } from "#store/schema/privacy-schema.ts";

import { countQueries } from "../../support/count-queries.ts";
import { createMigratedDatabase } from "../../support/postgres.ts";
import { batchRow, deliveryRow, eventRow, ingested, insertEvents, unreported } from "../rows.ts";

const at = new Date("2026-01-31T12:00:00.000Z");
const nowMs = at.getTime() + 60_000;
const retention = { eventDays: 30, deliveryDays: 90 };
const deliveryId = "019c1410-4b00-7000-8000-000000000001";
const waitingId = "019c1410-4b00-7000-8000-000000000002";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const replayId = `rp_${"a".repeat(31)}1`;
const mid = "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQ=";
const account = "17841400000000001";

let url: string;
let db: Database;
let ids: number[];
let letterId: number;
let groupId: number;

beforeAll(async () => {
  const database = await createMigratedDatabase();
  url = database.url;
  const opened = openDatabase(url);
  db = opened.db;
  const received = { receivedAt: at, messageIds: ["msg_published1"] };
  await db
    .insert(deliveries)
    .values([
      deliveryRow({ id: deliveryId, ...received, ...ingested({ deliveredAt: at, messageId: "msg_first1" }), traceId }),
      deliveryRow({ id: waitingId, receivedAt: at, messageIds: ["msg_waiting0", "msg_waiting1"] }),
      deliveryRow({ id: "d_lost", receivedAt: at, outcome: "lost" }),
      deliveryRow({ id: "d_old", receivedAt: at, ...unreported, ...ingested({ deliveredAt: at, batches: 2 }) }),
    ]);
  await db.insert(deliveryBatches).values(batchRow({ deliveryId: "d_old", deliveredAt: at, messageId: "msg_later1" }));
  const event = (key: string, rest = {}) => eventRow({ key, deliveryId, ingestedAt: at, ...rest });
  ids = await insertEvents(db, [
    event(`message:${account}:${mid}`),
    event(`message.edited:${account}:${mid}:1`, { kind: "message.edited" }),
    event("comment:17841400000000002:18050000000000001", {
      kind: "comment",
      accountId: "17841400000000002",
      senderId: null,
      recipientId: null,
    }),
    event("message:0123456789abcdef", { data: JSON.stringify({ message: { mid: "odd:mid:1" } }) }),
    event(`message.echo:${account}:m_2`, { kind: "message.echo", senderId: account, recipientId: "6002" }),
  ]);
  await db.insert(eventKeys).values({ hash: hashUuid(`message:${account}:m_deleted9`), eventId: 999_999 });
  await db.insert(deliveryAttempts).values({ deliveryId: waitingId, at, ms: 5, status: 503, messageId: "msg_failed1" });
  await db.insert(handlerAttempts).values({ eventId: ids[0] ?? 0, at, ms: 5, attempt: 2, messageId: "msg_handler1" });
  const [group] = await db
    .insert(deadLetterGroups)
    .values({ fingerprint: "f", cause: "qstash", firstAt: at })
    .returning();
  groupId = group?.id ?? 0;
  const letter = { source: "qstash", sourceId: "x", groupId, messageId: "msg_dead1", dlqId: "1725323658779-0" };
  letterId = (await db.insert(deadLetters).values(letter).returning())[0]?.id ?? 0;
  await db.insert(replays).values({
    id: replayId,
    mode: "again",
    filter: "{}",
    reason: "r",
    actor: "a",
    plan: "{}",
    eventIdMax: 1,
    total: 0,
  });
  await db.execute(sql`
    insert into relay.backfills (id, accounts, kinds, since, until, reason, actor, plan, position, counts)
    values ('bf_1', '[]', '{message}', now(), now(), 'r', 'a', '{}', '{}', '{}')`);
  await db.insert(erasedPeople).values({ hash: hashUuid("600700800"), requestedAt: at });
  const now = new Date();
  await db.insert(refusals).values([
    { at: now, runtime: "edge", reason: "SIGNATURE_INVALID", count: 3 },
    { at: now, runtime: "edge", reason: "NOT_KEPT", count: 1 },
  ]);
  return async () => {
    await opened.close();
    await database.drop();
  };
});

const ask = (q: string) => find(db, q, { retention, nowMs });
const hrefs = async (q: string) => (await ask(q)).matches.map(({ type, href }) => `${type} ${href}`);
const delivery = `/dashboard/deliveries/${deliveryId}`;
const event = (index: number) => `/dashboard/events/${ids[index]}`;

test("each kind of id leads to the page of what has it", async () => {
  const expected: [q: string, found: string[]][] = [
    [deliveryId, [`delivery ${delivery}`]],
    ["d_old", [`delivery /dashboard/deliveries/${deliveryUuid("d_old")}`]],
    [`message:${account}:${mid}`, [`event ${event(0)}`]],
    [mid, [`event ${event(0)}`, `event ${event(1)}`]],
    ["18050000000000001", [`event ${event(2)}`]],
    ["odd:mid:1", [`event ${event(3)}`]],
    ["6001", ["person /dashboard/events?sender=6001"]],
    ["6002", ["person /dashboard/events?sender=6002"]],
    [account, [`account /dashboard/events?account=${account}`]],
    ["msg_first1", [`qstash-message ${delivery}`]],
    ["msg_later1", [`qstash-message /dashboard/deliveries/${deliveryUuid("d_old")}`]],
    ["msg_waiting1", [`qstash-message /dashboard/deliveries/${waitingId}`]],
    ["msg_failed1", [`qstash-message /dashboard/deliveries/${waitingId}`]],
    ["msg_handler1", [`qstash-message ${event(0)}`]],
    ["msg_dead1", [`dead-letter /dashboard/dead-letters/${groupId}#letter-${letterId}`]],
    ["1725323658779-0", [`dead-letter /dashboard/dead-letters/${groupId}#letter-${letterId}`]],
    [traceId, [`trace ${delivery}`]],
    [deliveryId.replaceAll("-", ""), [`trace ${delivery}`]],
    [replayId, [`replay /dashboard/replays/${replayId}`]],
    ["bf_1", ["backfill /api/ops/backfills/bf_1"]],
    ["log line backfillId=bf_1 waits", ["backfill /api/ops/backfills/bf_1"]],
    ["https://relay.example.com/api/ops/backfills/bf_1", ["backfill /api/ops/backfills/bf_1"]],
  ];
  for (const [q, found] of expected) expect([q, await hrefs(q)]).toEqual([q, found]);
  // A row's number may be that of an event, a group and a dead letter.
  expect(await hrefs(String(ids[0]))).toContain(`event ${event(0)}`);
  expect(await hrefs(String(groupId))).toContain(`dead-letter-group /dashboard/dead-letters/${groupId}`);
});

test("an id is found as it is pasted: quoted, in a link, in a line of a log", async () => {
  const pasted = [
    `  "${deliveryId}",\n`,
    deliveryId.toUpperCase(),
    `<https://relay.example.com/dashboard/deliveries/${deliveryId}?zone=UTC>`,
    `/api/ops/deliveries/${deliveryId}`,
    `{"event":"forward.settled","deliveryId":"${deliveryId}","at":"2026-01-31T12:00:00.000Z"}`,
    `2026-01-31T12:00:00Z info deliveryId=${deliveryId} status=200`,
  ];
  for (const q of pasted) expect([q, await hrefs(q)]).toEqual([q, [`delivery ${delivery}`]]);
  expect(await hrefs(`https://console.upstash.com/qstash/logs?messageId=msg_first1`)).toEqual([
    `qstash-message ${delivery}`,
  ]);
  // A link says of which list the number is.
  expect(await hrefs(`http://localhost:3000/dashboard/events/${groupId}`)).toEqual([
    `event /dashboard/events/${groupId}`,
  ]);
  expect(await hrefs(`/dashboard/dead-letters/${groupId}`)).toEqual([
    `dead-letter-group /dashboard/dead-letters/${groupId}`,
  ]);
});

test("without a match the answer says why there may be none", async () => {
  const expected: [q: string, reason: RegExp][] = [
    ["msg_nowhere", /known to QStash alone.*in the last 24 hours: 3 for SIGNATURE_INVALID, 1 for NOT_KEPT/],
    [
      `message:${account}:m_lost1`,
      /refused or lost, .* Of the events of 1 delivery lost in the last 30 days only the log /,
    ],
    [`message:${account}:m_deleted9`, /^Event 999999 had this id .* after 30 days/],
    ["600700800", /^The data of the person with this id was erased on a request of 2026-01-31T12:00:00.000Z/],
    ["01990000-0000-7000-8000-000000000001", /kept for 90 days/],
    ["019c1410-4b00-7000-8000-00000000000f", /may still wait at the queue/],
    ["01ffffff-ffff-7000-8000-000000000001", /in the future/],
    ["rp_none", /no such replay/],
    ["what did the customer say", /has the form of an id/],
  ];
  for (const [q, reason] of expected) {
    expect([q, await ask(q)]).toEqual([
      q,
      { matches: [], reason: expect.stringMatching(reason), searched: expect.any(Array) },
    ]);
  }
});

test("hostile and huge pastes are harmless", async () => {
  const hostile = [
    "\0",
    "'; drop table relay.events; --",
    "%",
    "<script>alert(1)</script>",
    "\u202e123456",
    "🦊",
    "9".repeat(400),
    "9".repeat(15),
    "-1",
    "https://[",
    "/dashboard/events/%zz",
    "x ".repeat(1_999),
  ];
  for (const q of hostile) expect([q, (await ask(q)).matches]).toEqual([q, []]);
});

test("equal questions at the same time are one statement, and a store that is gone is said to be unavailable", async () => {
  const reads = openReads(url);
  const sent = countQueries(reads.pool);
  const finder = (openDb: () => Database) =>
    createFinder({ openReads: openDb, readRetention: () => retention, clock: systemClock });
  const askShared = finder(() => reads.db);
  const answers = await Promise.all(Array.from({ length: 100 }, () => askShared(deliveryId)));
  expect(new Set(answers.map(({ matches }) => matches[0]?.href))).toEqual(new Set([delivery]));
  expect(sent.filter((text) => text === "prepared")).toHaveLength(1);
  await reads.close();

  const gone = openReads("postgresql://nobody@127.0.0.1:1/nothing");
  const refused = withStoreErrors(() => finder(() => gone.db)(deliveryId));
  await expect(refused).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", status: 503 });
  await gone.close();
});

test.each([
  ["", "q is missing"],
  ["q=", "q is missing"],
  ["q=%20", "q must not be empty"],
  [`q=${"x".repeat(4_001)}`, "q must have at most 4000 characters"],
  ["q=1&q=2", "q is given more than once"],
  ["q=1&type=event", "type is no parameter of this"],
])("the query %j is refused", (query, message) => {
  expect(() => parseFind(new URLSearchParams(query))).toThrow(
    expect.objectContaining({ code: "REQUEST_INVALID", message }),
  );
});
