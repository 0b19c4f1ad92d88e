// Copies of a person's data beside the events: dead letters here and at QStash, replays; and what happens if time runs out.
import { describe, expect, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { createQstashApi, type QstashApi } from "#platform/qstash-api.ts";
import { carryOutDeletion } from "#privacy/carry-out-deletion.ts";
import { continueErasures } from "#privacy/continue-erasures.ts";
import { createErasureApi } from "#privacy/erasure-api.ts";
import { queueAnswerBytesMax } from "#privacy/redact-queue-letters.ts";
import type { Batch } from "#queue/batch.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import type { Database } from "#store/connection/database.ts";
import { recordDeletion } from "#store/erasure/data-deletions.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

import { eventually, keys, openSink, startTestBroker } from "../broker/test-broker.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { unsending, message, toEvent } from "../support/messaging.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, toStore } from "../support/store.ts";

const person = "60011223344556677";
const other = "60099999999999999";
const words = "the customer's words";

const by = (who: string, mid: string): Promise<InstagramEvent> =>
  toEvent({ atMs: 1_700_000_000_000, person: who, part: message(mid, words) });

async function batchOf(id: string, ...people: string[]): Promise<Batch> {
  return testBatch(id, await Promise.all(people.map((who, index) => by(who, `${id}.${index}`))));
}

async function record(db: Database, requestId = "r1", requestedAtMs = clock.nowMs()) {
  await recordDeletion(db, { requestId, userId: person, code: `code of ${requestId}`, requestedAtMs });
}

async function addLetter(db: Database, sourceId: string, body: string) {
  await db.$client.query(
    "insert into relay.dead_letters (source, source_id, group_id, body, body_whole) values ('qstash', $1, 1, $2, true)",
    [sourceId, Buffer.from(body)],
  );
}

async function readLetters(db: Database) {
  const { rows } = await db.$client.query<{
    source_id: string;
    body: string | null;
    whole: boolean;
    note: string | null;
  }>(
    "select source_id, convert_from(body, 'UTF8') as body, body_whole as whole, error_message as note from relay.dead_letters order by id",
  );
  return rows;
}

const sendersIn = (body: string | null) => decodeBatch(body ?? "").events.map(({ senderId }) => senderId);

describe("an erasure", () => {
  test("takes the person's events out of the bytes of our dead letters, and leaves the others", async () => {
    const { db } = await openTestStore();
    const [mixed, foreign] = [await batchOf("d1", person, other), await batchOf("d2", other)];
    await addLetter(db, "mixed", JSON.stringify(mixed));
    await addLetter(db, "foreign", JSON.stringify(foreign));
    await addLetter(db, "cut", JSON.stringify(mixed).slice(0, -200));
    await addLetter(db, "foreign cut", JSON.stringify(foreign).slice(0, -20));
    await record(db);
    expect(await carryOutDeletion({ db, api: null, clock }, "r1", Infinity)).toMatchObject({ isComplete: true });

    const letters = await readLetters(db);
    expect(JSON.stringify(letters)).not.toContain(person);
    expect(letters).toMatchObject([
      { source_id: "mixed", whole: true },
      { source_id: "foreign", body: JSON.stringify(foreign) },
      { source_id: "cut", body: null, whole: false, note: expect.stringContaining("dropped") as unknown },
      { source_id: "foreign cut", body: JSON.stringify(foreign).slice(0, -20) },
    ]);
    expect(sendersIn(letters[0]?.body ?? null)).toEqual([other]);
  });

  test("leaves what was received after the request in a dead letter", async () => {
    const { db } = await openTestStore();
    const { delivery, ...batch } = await batchOf("d1", person);
    await record(db);
    await addLetter(
      db,
      "later",
      JSON.stringify({ ...batch, delivery: { ...delivery, receivedAtMs: clock.nowMs() + 60_000 } }),
    );
    await carryOutDeletion({ db, api: null, clock }, "r1", Infinity);
    expect(sendersIn((await readLetters(db))[0]?.body ?? null)).toEqual([person]);
  });

  test("deletes QStash's dead letters that hold the person's data, and keeps the rest of such a batch here", async () => {
    const { db } = await openTestStore();
    const { broker, client } = await startTestBroker();
    const sink = await openSink(() => ({ status: 500 }));
    const [mixed, foreign] = [await batchOf("d1", person, other), await batchOf("d2", other)];
    // A failure callback that was given up itself repeats the batch in base64.
    const callback = {
      status: 500,
      sourceMessageId: "m1",
      sourceBody: Buffer.from(JSON.stringify(mixed)).toString("base64"),
    };
    for (const body of [mixed, foreign, callback]) await client.publishJSON({ url: sink.url, body, retries: 0 });
    await eventually(async () => (await client.dlq.listMessages()).messages.length).toBe(3);

    await record(db);
    const api = createQstashApi({
      url: broker.url,
      token: keys.token,
      timeoutMs: 10_000,
      answerBytesMax: queueAnswerBytesMax,
      fetch,
      clock,
    });
    expect(await carryOutDeletion({ db, api, clock }, "r1", Infinity)).toMatchObject({ isComplete: true });
    const left = (await client.dlq.listMessages()).messages;
    expect(left.map(({ body }) => body)).toEqual([JSON.stringify(foreign)]);
    const letters = await readLetters(db);
    expect(letters.map(({ body }) => sendersIn(body))).toEqual([[other]]);
    expect(letters[0]?.whole).toBe(true);
  });

  test("waits a day for a QStash that does not answer, then names its copies as not reached", async () => {
    const { db, pool } = await openTestStore();
    const manual = createManualClock();
    const refusing: QstashApi = () => Promise.reject(new TypeError("fetch failed"));
    await record(db, "r1", manual.nowMs());
    const options = {
      db,
      api: refusing,
      clock: manual,
      log: createRecordingLog().log,
      unsentMessages: "erase" as const,
    };
    expect(await carryOutDeletion(options, "r1", Infinity)).toMatchObject({ isComplete: false });
    await expect(continueErasures(options, Infinity, null)).rejects.toMatchObject({ code: "QSTASH_UNAVAILABLE" });
    const read = async () =>
      (await pool.query("select user_id, unreached, completed_at is not null as done from relay.data_deletions")).rows;
    expect(await read()).toEqual([{ user_id: person, unreached: null, done: false }]);

    await manual.advance(25 * 3_600_000);
    expect(await carryOutDeletion(options, "r1", Infinity)).toMatchObject({ isComplete: true });
    expect(await read()).toEqual([{ user_id: null, unreached: ["queue-dead-letters"], done: true }]);
  });

  test("names no copies at QStash if another queue is used, which has none", async () => {
    const { db, pool } = await openTestStore();
    await record(db);
    const network = { fetch, clock };
    expect(createErasureApi({}, "qstash", network)).toBeNull();
    const api = createErasureApi({}, "redis", network);
    expect(await carryOutDeletion({ db, api, clock }, "r1", Infinity)).toMatchObject({ isComplete: true });
    const { rows } = await pool.query("select unreached from relay.data_deletions");
    expect(rows).toEqual([{ unreached: null }]);
  });

  test("goes on in maintenance where its time ended", async () => {
    const { db, pool } = await openTestStore();
    await pool.query(
      `insert into relay.events (id, ingested_at, delivery_id, batch_index, standby, test, drifted, kind, account_id, sender_id, recipient_id, key, data)
      select nextval('relay.event_ids'), now(), gen_random_uuid(), 0, false, false, false, 'message', '1', $1, '1', 'message:1:' || i, '{}'
      from generate_series(1, 2500) i`,
      [person],
    );
    await record(db);
    const options = { db, api: null, clock, log: createRecordingLog().log, unsentMessages: "erase" as const };
    expect(await carryOutDeletion(options, "r1", -Infinity)).toEqual({
      code: "code of r1",
      erased: 1_000,
      isComplete: false,
    });
    expect(await carryOutDeletion(options, "r1", -Infinity)).toMatchObject({ erased: 2_000, isComplete: false });
    expect(await continueErasures(options, Infinity, null)).toMatchObject({ completed: 1 });
    const { rows } = await pool.query("select erased, user_id, progress from relay.data_deletions");
    expect(rows).toEqual([{ erased: 2_500, user_id: null, progress: null }]);
    expect((await pool.query("select from relay.events where erased_at is null")).rowCount).toBe(0);
  });

  test("repeats no step that is done", async () => {
    const { db, pool } = await openTestStore();
    await storeBatch(db, toStore(await batchOf("d1", person)));
    await record(db);
    const progress = { step: "letters", afterId: 0, cursor: null, isQueueMissed: false };
    await pool.query("update relay.data_deletions set progress = $1", [JSON.stringify(progress)]);
    expect(await carryOutDeletion({ db, api: null, clock }, "r1", Infinity)).toMatchObject({
      erased: 0,
      isComplete: true,
    });
  });

  test("erases what errors of the events' handlers said, and resolves their dead letters", async () => {
    const { db, pool } = await openTestStore();
    const { leased } = await storeBatch(db, toStore(await batchOf("d1", person)));
    const values = [leased[0]?.id, words];
    await pool.query(
      "insert into relay.handler_attempts (event_id, at, ms, attempt, error_name, error_message) values ($1, now(), 1, 1, 'E', $2)",
      values,
    );
    await pool.query(
      "insert into relay.dead_letters (source, source_id, group_id, event_id, error_message) values ('handler', '1', 1, $1, $2)",
      values,
    );
    await record(db);
    await carryOutDeletion({ db, api: null, clock }, "r1", Infinity);
    const { rows } = await pool.query(
      `select a.error_message as attempt, d.error_message as letter, d.resolved_by, (select count(*)::int from relay.event_work) as open
      from relay.handler_attempts a, relay.dead_letters d`,
    );
    expect(rows).toEqual([{ attempt: null, letter: null, resolved_by: "data-deletion", open: 0 }]);
  });

  test("removes the person's id from replays and from what operators wrote", async () => {
    const { db, pool } = await openTestStore();
    await pool.query(
      `insert into relay.replays (id, mode, filter, reason, actor, plan, event_id_max, total)
      values ('p1', 'unfinished', $1, $3, 'a', $2, 1, 1)`,
      [
        JSON.stringify({ sender: person }),
        JSON.stringify({ sample: [`read:1:m:${person}:17`, `${person}0`] }),
        `for ${person}, not ${person}0`,
      ],
    );
    await pool.query(
      "insert into relay.dead_letter_groups (fingerprint, cause, error_name, first_at, note) values ('f', 'handler', 'E', now(), $1)",
      [`asked by ${person}`],
    );
    await record(db);
    await carryOutDeletion({ db, api: null, clock }, "r1", Infinity);
    const { rows } = await pool.query("select filter, plan, reason, note from relay.replays, relay.dead_letter_groups");
    const plan = { sample: ["read:1:m:erased:17", `${person}0`] };
    const written = { reason: `for erased, not ${person}0`, note: "asked by erased" };
    expect(rows).toEqual([{ filter: { sender: "erased" }, plan, ...written }]);
  });
});

describe("maintenance", () => {
  test("takes what was erased out of dead letters that came after the erasure", async () => {
    const { db } = await openTestStore();
    await record(db);
    await carryOutDeletion({ db, api: null, clock }, "r1", Infinity);
    await addLetter(db, "late", JSON.stringify(await batchOf("d1", person, other)));
    await continueErasures(
      { db, api: null, clock, log: createRecordingLog().log, unsentMessages: "erase" as const },
      Infinity,
      null,
    );
    expect(sendersIn((await readLetters(db))[0]?.body ?? null)).toEqual([other]);
  });

  test("takes the text of an unsent message out of dead letters", async () => {
    const { db } = await openTestStore();
    const [unsent, kept] = [await by(person, "m1"), await by(person, "m2")];
    await addLetter(db, "letter", JSON.stringify(testBatch("d1", [unsent, kept])));
    const end = await toEvent({ atMs: 1_700_000_001_000, person, part: unsending("m1") });
    await storeBatch(db, toStore(testBatch("d2", [end])));
    await continueErasures(
      { db, api: null, clock, log: createRecordingLog().log, unsentMessages: "erase" as const },
      Infinity,
      null,
    );
    const events = decodeBatch((await readLetters(db))[0]?.body ?? "").events;
    expect(events.map(({ key }) => key)).toEqual([kept.key]);
  });
});
