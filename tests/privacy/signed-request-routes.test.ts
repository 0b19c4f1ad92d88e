import { asc, eq, isNull } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { createSignedRequestReader } from "#instagram/signed-request.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { answerDataDeletion } from "#privacy/answer-data-deletion.ts";
import { answerDeauthorize } from "#privacy/answer-deauthorize.ts";
import type { Batch } from "#queue/batch.ts";
import { type Database, openDatabase } from "#store/connection/database.ts";
import { saveDeauthorization } from "#store/erasure/save-deauthorization.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { events } from "#store/schema/event-schema.ts";
import { dataDeletions, deauthorizations } from "#store/schema/privacy-schema.ts";

import { createRecordingLog } from "../support/recording-log.ts";
import { appSecret, payloadOf, signRequest } from "../support/signed-request.ts";
import { openTestStore, testBatch, testEvent, toStore } from "../support/store.ts";

const person = "60011223344556677";
const account = "17841400000000001";

function call(fields: string | Record<string, string>, path = "/api/instagram/data-deletion"): Request {
  const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return new Request(`https://relay.example${path}`, { method: "POST", body, headers });
}

const askFor = (userId: string, issuedAt?: number) =>
  call({ signed_request: signRequest(payloadOf(userId, issuedAt)) });

function routeOptions() {
  const recording = createRecordingLog();
  const reader = createSignedRequestReader([appSecret]);
  return { clock, log: recording.log, recording, openReader: () => reader };
}

function deletionOptions(db: Database) {
  let codes = 0;
  return {
    ...routeOptions(),
    newCode: () => `code${++codes}`,
    statusUrl: (code: string) => `https://relay.example/data-deletion/${code}`,
    openDatabase: () => db,
    openApi: () => null,
  };
}

const store = (db: Database, batch: Batch) => storeBatch(db, toStore(batch));

/** A batch of a delivery that was received after every request of the test. */
function later(batch: Batch): Batch {
  return { ...batch, delivery: { ...batch.delivery, receivedAtMs: clock.nowMs() + 60_000 } };
}

const event = (mid: string, accountId: string, senderId: string, recipientId: string) =>
  testEvent(mid, {
    key: `message:${accountId}:${mid}`,
    accountId,
    senderId,
    recipientId,
    data: { sender: { id: senderId }, recipient: { id: recipientId }, message: { mid, text: "the customer's words" } },
  });

const storedEvents = (db: Database) => db.select().from(events).orderBy(asc(events.id));
const marker = '{"erased":"data-deletion"}';

describe("answerDataDeletion()", () => {
  test("erases the events whose account, sender or recipient has the id, and no others", async () => {
    const { db, pool } = await openTestStore();
    await store(
      db,
      testBatch("d1", [
        event("a", account, person, account),
        event("b", account, account, person),
        event("c", person, "someone", person),
        event("d", account, "someone", account),
        event("e", account, `${person}0`, account),
      ]),
    );
    const options = deletionOptions(db);
    const response = await answerDataDeletion(askFor(person), options);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual({
      url: "https://relay.example/data-deletion/code1",
      confirmation_code: "code1",
    });

    const { rows } = await pool.query<{ key: string; data: string }>(
      "select key, data::text from relay.events order by id",
    );
    expect(rows.map(({ data }) => data === marker)).toEqual([true, true, true, false, false]);
    // A key may hold the person's id.
    expect(JSON.stringify(rows.map(({ key }) => key))).not.toMatch(new RegExp(`${person}\\D`));
    expect(rows[0]?.key).toMatch(/^message:[0-9a-f]{64}$/);
    expect(await storedEvents(db)).toMatchObject([
      { accountId: account, senderId: null, recipientId: account, erasedAt: expect.any(Date) as unknown },
      { accountId: account, senderId: account, recipientId: null, erasedAt: expect.any(Date) as unknown },
      { accountId: "", senderId: "someone", recipientId: null, erasedAt: expect.any(Date) as unknown },
      { accountId: account, senderId: "someone", recipientId: account, erasedAt: null },
      { accountId: account, senderId: `${person}0`, recipientId: account, erasedAt: null },
    ]);
    const [deletion] = await db.select().from(dataDeletions);
    expect(deletion).toMatchObject({ code: "code1", userId: null, erased: 3 });
    expect(deletion?.completedAt).toBeInstanceOf(Date);
    expect(options.recording.of("data_deletion.completed")).toMatchObject([{ erased: 3 }]);
  });

  test("leaves the person's id neither in the log nor in the row of the request", async () => {
    const { db } = await openTestStore();
    const options = deletionOptions(db);
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    await answerDataDeletion(askFor(person), options);
    await answerDataDeletion(call({ signed_request: "forged" }), options);
    expect(JSON.stringify([options.recording.lines, await db.select().from(dataDeletions)])).not.toContain(person);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });

  test("a redelivery inserts nothing and calls no handler", async () => {
    const { db } = await openTestStore();
    const batch = testBatch("d1", [event("a", account, person, account), event("b", account, "someone", account)]);
    await store(db, batch);
    await answerDataDeletion(askFor(person), deletionOptions(db));
    const again = { ...batch, delivery: { ...batch.delivery, id: "d2" } };
    expect(await store(db, again)).toMatchObject({ inserted: 0, duplicates: 2, leased: [] });
    expect((await storedEvents(db)).map(({ erasedAt }) => erasedAt !== null)).toEqual([true, false]);
  });

  test("what waits for a handler is not handed to it, and its delivery is done", async () => {
    const { db, pool } = await openTestStore();
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    await answerDataDeletion(askFor(person), deletionOptions(db));
    const { rows } = await pool.query(
      "select (select count(*)::int from relay.event_work) as open, handled_at is not null as handled from relay.deliveries",
    );
    expect(rows).toEqual([{ open: 0, handled: true }]);
  });

  test("an event of a delivery from before the request is stored erased when it arrives", async () => {
    const { db } = await openTestStore();
    await answerDataDeletion(askFor(person), deletionOptions(db));
    const batch = testBatch("d1", [event("a", account, person, account), event("b", account, "someone", account)]);
    expect((await store(db, batch)).leased.map(({ key }) => key)).toEqual([`message:${account}:b`]);
    const rows = await storedEvents(db);
    expect(rows.map(({ erasedAt }) => erasedAt !== null)).toEqual([true, false]);
    expect(JSON.stringify(rows)).not.toContain(person);
  });

  test("the same request gets the same answer and erases no later events; a new request does", async () => {
    const { db } = await openTestStore();
    const options = deletionOptions(db);
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    const first = await (await answerDataDeletion(askFor(person), options)).json();
    await store(db, later(testBatch("d2", [event("b", account, person, account)])));
    expect(await (await answerDataDeletion(askFor(person), options)).json()).toEqual(first);
    expect(await db.select().from(dataDeletions)).toMatchObject([{ erased: 1 }]);
    expect(await db.select().from(events).where(eq(events.senderId, person))).toHaveLength(1);

    const second: unknown = await (await answerDataDeletion(askFor(person, 1_700_000_500), options)).json();
    expect(second).not.toEqual(first);
    expect((await db.select().from(dataDeletions)).map(({ erased }) => erased)).toEqual([1, 1]);
    expect(await db.select().from(events).where(eq(events.senderId, person))).toEqual([]);
  });

  test("twenty simultaneous copies of a request count as one", async () => {
    const { db } = await openTestStore();
    const options = deletionOptions(db);
    const mids = Array.from({ length: 50 }, (_, index) => event(`m${index}`, account, person, account));
    await store(db, testBatch("d1", mids));
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await answerDataDeletion(askFor(person), options)).json()),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await db.select().from(dataDeletions)).toMatchObject([{ erased: 50, userId: null }]);
  });

  test("simultaneous requests of both people of a conversation, while it is delivered, do not deadlock", async () => {
    const { db } = await openTestStore();
    const batch = (id: string) =>
      testBatch(
        id,
        Array.from({ length: 60 }, (_, index) => event(`m${index}`, account, person, "another")),
      );
    await store(db, batch("d0"));
    const results = await Promise.all([
      ...["d1", "d2", "d3"].map((id) => store(db, batch(id))),
      answerDataDeletion(askFor(person), deletionOptions(db)),
      answerDataDeletion(askFor("another"), { ...deletionOptions(db), newCode: () => "other" }),
    ]);
    expect(results.slice(0, 3)).toMatchObject(Array.from({ length: 3 }, () => ({ inserted: 0, duplicates: 60 })));
    const rows = await storedEvents(db);
    expect(rows.every(({ senderId, recipientId }) => senderId === null && recipientId === null)).toBe(true);
    expect((await db.select().from(dataDeletions)).map(({ erased }) => erased)).toEqual([60, 60]);
  });

  test("a person without stored events gets an answer, too", async () => {
    const { db } = await openTestStore();
    const response = await answerDataDeletion(askFor(person), deletionOptions(db));
    expect(response.status).toBe(200);
    expect(await db.select().from(dataDeletions)).toMatchObject([
      { erased: 0, completedAt: expect.any(Date) as unknown },
    ]);
  });

  test("finds events however far apart their ids are", async () => {
    const { db, pool } = await openTestStore();
    await pool.query("alter sequence relay.event_ids restart with 25000");
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    await pool.query("alter sequence relay.event_ids restart with 35000");
    await store(db, testBatch("d2", [event("b", account, person, account)]));
    await pool.query("alter sequence relay.event_ids restart with 90000");
    await store(db, testBatch("d3", [event("c", account, person, account)]));
    await answerDataDeletion(askFor(person), deletionOptions(db));
    expect(await db.select().from(dataDeletions)).toMatchObject([{ erased: 3 }]);
  });

  test("an interrupted erasure is recorded, and the same request continues it", async () => {
    const { db, pool } = await openTestStore();
    const options = deletionOptions(db);
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    await pool.query("alter table relay.events rename to away");
    expect((await answerDataDeletion(askFor(person), options)).status).toBe(503);
    expect(await db.select().from(dataDeletions)).toMatchObject([{ code: "code1", userId: person, completedAt: null }]);
    expect(options.recording.of("signed_request.refused")).toMatchObject([
      { level: "error", code: "STORE_UNAVAILABLE" },
    ]);

    await pool.query("alter table relay.away rename to events");
    const response = await answerDataDeletion(askFor(person), options);
    expect(await response.json()).toMatchObject({ confirmation_code: "code1" });
    expect(await db.select().from(dataDeletions)).toMatchObject([{ userId: null, erased: 1 }]);
    expect(JSON.stringify(options.recording.lines)).not.toContain(person);
  });

  test("a later request of the same person completes an interrupted one", async () => {
    const { db, pool } = await openTestStore();
    const options = deletionOptions(db);
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    await pool.query("alter table relay.events rename to away");
    for (const userId of [person, "someone"]) await answerDataDeletion(askFor(userId), options);
    await pool.query("alter table relay.away rename to events");
    await pool.query("update relay.data_deletions set requested_at = requested_at - interval '1 day'");
    await answerDataDeletion(askFor(person, 1_700_000_500), options);
    expect(await db.select().from(dataDeletions).orderBy(asc(dataDeletions.code))).toMatchObject([
      { code: "code1", userId: null, erased: 1, completedAt: expect.any(Date) as unknown },
      { code: "code2", userId: "someone", erased: 0, completedAt: null },
      { code: "code3", userId: null, erased: 1, completedAt: expect.any(Date) as unknown },
    ]);
  });

  test("removes the person's id from deauthorizations, too", async () => {
    const { db } = await openTestStore();
    for (const userId of [person, "someone"]) {
      const save = saveDeauthorization.bind(null, db);
      await answerDeauthorize(askFor(userId), { ...routeOptions(), save });
    }
    await answerDataDeletion(askFor(person), deletionOptions(db));
    const stored = await db.select().from(deauthorizations);
    expect(stored.map(({ userId }) => String(userId)).toSorted()).toEqual(["null", "someone"]);
  });

  test("answers 503 when the database is down", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const response = await answerDataDeletion(askFor(person), deletionOptions(db));
    expect(response.status).toBe(503);
    await close();
  });
});

describe("answerDeauthorize()", () => {
  test("records the request once and erases nothing", async () => {
    const { db } = await openTestStore();
    await store(db, testBatch("d1", [event("a", account, person, account)]));
    const options = { ...routeOptions(), save: saveDeauthorization.bind(null, db) };
    const answers = [];
    for (let time = 0; time < 2; time += 1) {
      const response = await answerDeauthorize(askFor(person), options);
      answers.push([response.status, await response.json()]);
    }
    expect(answers).toEqual([
      [200, { recorded: true }],
      [200, { recorded: false }],
    ]);
    expect(await db.select().from(deauthorizations)).toMatchObject([
      { userId: person, issuedAt: new Date(1_700_000_000_000) },
    ]);
    expect(await db.select().from(events).where(isNull(events.erasedAt))).toHaveLength(1);
    expect(options.recording.of("deauthorization.recorded")).toMatchObject([{ recorded: true }, { recorded: false }]);
    expect(JSON.stringify(options.recording.lines)).not.toContain(person);
  });
});

describe("both", () => {
  const refuseToSave = () => expect.unreachable();
  const deauthorize = (request: Request) => answerDeauthorize(request, { ...routeOptions(), save: refuseToSave });
  const signed = signRequest(payloadOf(person));

  test.each([
    ["no body", ""],
    ["another field", "other=1"],
    ["an empty field", "signed_request="],
    ["the field twice", `signed_request=${signed}&signed_request=${signed}`],
    ["JSON", JSON.stringify({ signed_request: signed })],
    ["a signed payload without a user", `signed_request=${signRequest({ algorithm: "HMAC-SHA256" })}`],
  ])("answer 400 to %s", async (_name, body) => {
    const response = await deauthorize(call(body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "REQUEST_INVALID" } });
  });

  test.each([
    ["garbage", "signed_request=garbage"],
    ["another secret's signature", `signed_request=${signRequest(payloadOf(person), { secret: "wrong" })}`],
    ["bytes that are no text", "signed_request=%ff%fe.%00"],
  ])("answer 401 to %s", async (_name, body) => {
    const response = await deauthorize(call(body));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code: "SIGNATURE_INVALID" } });
  });

  test("answer 413 to a body that is too large", async () => {
    expect((await deauthorize(call(`signed_request=${"x".repeat(70_000)}`))).status).toBe(413);
  });

  test("find the field among others", async () => {
    const save = () => Promise.resolve(true);
    const response = await answerDeauthorize(call(`a=1&signed_request=${signed}&b=2`), { ...routeOptions(), save });
    expect(response.status).toBe(200);
  });

  test("answer 503 and name the missing variable", async () => {
    const openReader = () => {
      throw new RelayError("ENV_INVALID", "Configuration is incomplete: INSTAGRAM_APP_SECRET is not set");
    };
    const response = await answerDeauthorize(askFor(person), { ...routeOptions(), openReader, save: refuseToSave });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "ENV_INVALID" } });
  });
});

describe("a signed request with odd values", () => {
  const oddUsers = [person, "9".repeat(5_000), "a\0b", "\ud83d", "é 🚀"];
  const oddTimes = ["1790000000000000", "1790000000000000000", "1e300", "1e999", "-1", "0.5", '"soon"', "null", "{}"];
  const requests = oddUsers.flatMap((userId) =>
    oddTimes.map((issuedAt) =>
      signRequest(`{"algorithm":"HMAC-SHA256","user_id":${JSON.stringify(userId)},"issued_at":${issuedAt}}`),
    ),
  );

  test("is recorded as a deauthorization", async () => {
    const { db } = await openTestStore();
    const options = { ...routeOptions(), save: saveDeauthorization.bind(null, db) };
    for (const signed of requests) {
      const response = await answerDeauthorize(call({ signed_request: signed }, "/api/instagram/deauthorize"), options);
      expect([response.status, await response.json()], signed).toEqual([200, { recorded: true }]);
    }
    expect(await db.$count(deauthorizations)).toBe(requests.length);
  });

  test("erases the person's events", async () => {
    const { db } = await openTestStore();
    const sent = oddUsers.map((userId, index) => event(`m${index}`, account, userId, account));
    await store(db, testBatch("d1", sent));
    const options = deletionOptions(db);
    for (const signed of requests) {
      const response = await answerDataDeletion(call({ signed_request: signed }), options);
      expect(response.status, signed).toBe(200);
    }
    expect(await db.$count(events, isNull(events.erasedAt))).toBe(0);
  });
});
