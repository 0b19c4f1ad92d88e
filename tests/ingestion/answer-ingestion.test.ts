import type { Pool } from "pg";
import { describe, expect, test } from "vitest";

import { answerHandlers } from "#ingestion/answer-handlers.ts";
import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import type { IngestMessageOptions } from "#ingestion/ingest-message.ts";
import { nodeDigests } from "#ingestion/node-digests.ts";
import { createPlaces } from "#ingestion/places.ts";
import { createProcessWork } from "#ingestion/process-work.ts";
import { saveUndecodable } from "#ingestion/save-undecodable.ts";
import type { Clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { encodeHandlersMessage } from "#queue/handlers-message.ts";
import { type AnswerQstashOptions, createAnswerQstash } from "#queue/qstash/answer-qstash.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createHandling, type Handling } from "../support/handling.ts";
import { signDelivery, signingKeys } from "../support/qstash-token.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { makeDue, readKeys, readWork } from "../support/work.ts";

const url = "https://relay.example/api/qstash/instagram-ingestion";
const deliveryId = "0190a5b2-0000-7000-8000-000000000001";

async function call(body: string, headers: Record<string, string> = {}): Promise<Request> {
  const signature = await signDelivery({ body: new TextEncoder().encode(body), sub: url });
  return new Request("http://localhost:3000/", {
    method: "POST",
    body,
    headers: { "upstash-signature": signature, "upstash-message-id": "msg_1", ...headers },
  });
}

const answerIngestionCall = (request: Request, options: IngestMessageOptions & AnswerQstashOptions) =>
  answerIngestion(request, createAnswerQstash(options), options);

const answerHandlersCall = (request: Request, options: IngestMessageOptions & AnswerQstashOptions) =>
  answerHandlers(request, createAnswerQstash(options), options);

function optionsFor(handling: Handling) {
  const waitedFor: Promise<unknown>[] = [];
  const options: IngestMessageOptions & AnswerQstashOptions = {
    readQstash: () => ({ ...signingKeys, urls: [url] }),
    digests: nodeDigests,
    clock: handling.clock,
    log: handling.log,
    openHandlers: () => handling,
    saveUndecodable: (message) =>
      saveUndecodable(message, { db: handling.db, relayUrls: [url], path: "", deployment: "build-1" }),
    waitUntil: (promise) => void waitedFor.push(promise),
  };
  return { ...options, waitedFor, done: () => Promise.all(waitedFor) };
}

const readAttempts = async (pool: Pool) =>
  (
    await pool.query(
      "select delivery_id, batch_index, retried, status, error_code, message_id from relay.delivery_attempts order by at",
    )
  ).rows as unknown[];

/** Every wait is over as soon as it began. */
const timersThatFire: Pick<Clock, "after"> = {
  after: (_delayMs, callback) => {
    queueMicrotask(callback);
    return () => {};
  },
};

describe("answerIngestion()", () => {
  const body = JSON.stringify(testBatch(deliveryId, [testEvent("a"), testEvent("b")]));

  test("answers with the number of new events", async () => {
    const { db } = await openTestStore();
    const handling = createHandling(db);
    const options = optionsFor(handling);
    const answers = [
      await answerIngestionCall(await call(body), options),
      await answerIngestionCall(await call(body), options),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { inserted: 2, duplicates: 0 },
      { inserted: 0, duplicates: 2 },
    ]);
    expect(handling.recording.of("ingestion.committed")).toMatchObject([{ deliveryId }, { deliveryId }]);
    await options.done();
  });

  test("answers when the batch is stored, and the handlers run after that", async () => {
    const { db, pool } = await openTestStore();
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const options = optionsFor(createHandling(db, () => gate));
    const response = await answerIngestionCall(await call(body), options);
    expect([response.status, await readKeys(pool, "handled")]).toEqual([200, []]);
    open();
    await options.done();
    expect(await readKeys(pool, "handled")).toEqual(["message:1:a", "message:1:b"]);
  });

  test("answers 200 also if every handler fails: their retries are not QStash's", async () => {
    const { db, pool } = await openTestStore();
    const handling = createHandling(db, () => {
      throw new Error("x");
    });
    const options = optionsFor(handling);
    expect((await answerIngestionCall(await call(body), options)).status).toBe(200);
    await options.done();
    expect(await readWork(pool)).toMatchObject([{ state: "open" }, { state: "open" }]);
    expect(handling.published).toMatchObject([{ delayMs: 10_000 }]);
  });

  test("runs the handlers before it answers if the host keeps nothing alive afterwards", async () => {
    const { db, pool } = await openTestStore();
    const handling = createHandling(db);
    const waitUntil = () => {
      throw new Error("This host keeps nothing alive after a response");
    };
    await answerIngestionCall(await call(body), { ...optionsFor(handling), waitUntil });
    expect(await readKeys(pool, "handled")).toHaveLength(2);
    expect(handling.recording.of("handlers.wait_until_failed")).toMatchObject([{ level: "error", deliveryId }]);
  });

  test("records each further call, and each that failed, after the answer", async () => {
    const { db, pool } = await openTestStore();
    const options = optionsFor(createHandling(db));
    await answerIngestionCall(await call(body), options);
    await answerIngestionCall(await call(body, { "upstash-retried": "1" }), options);
    await answerIngestionCall(await call('{"version":9}', { "upstash-retried": "2" }), options);
    await options.done();
    const common = { message_id: "msg_1" };
    expect(await readAttempts(pool)).toEqual([
      { ...common, delivery_id: deliveryId, batch_index: 0, retried: 1, status: 200, error_code: null },
      { ...common, delivery_id: null, batch_index: null, retried: 2, status: 503, error_code: "BATCH_VERSION_UNKNOWN" },
    ]);
  });

  test.each([
    ["no signature", { "upstash-signature": "" }],
    ["a forged one", { "upstash-signature": "a.b.c" }],
  ])("answers 401 to %s, without opening the database", async (_name, headers) => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const openHandlers = () => expect.unreachable();
    const response = await answerIngestionCall(await call("{}", headers), {
      ...optionsFor(createHandling(db)),
      openHandlers,
    });
    expect(response.status).toBe(401);
    await close();
  });

  test("keeps a body that is not a batch, byte for byte and once, and answers 489, so that QStash does not deliver it again", async () => {
    const { db, pool } = await openTestStore();
    const options = optionsFor(createHandling(db));
    const odd = '{"version":2,"delivery":{"id":"d9"},"events":[{"text":"é"}]}';
    for (let time = 0; time < 2; time += 1) {
      const response = await answerIngestionCall(await call(odd), options);
      expect([response.status, response.headers.get("upstash-nonretryable-error")]).toEqual([489, "true"]);
      expect(await response.json()).toMatchObject({ error: { code: "BATCH_INVALID" } });
    }
    await options.done();
    const { rows } = await pool.query<{ body: Buffer }>(
      "select body, body_whole, message_id, error_code from relay.dead_letters",
    );
    expect(rows).toMatchObject([{ body_whole: true, message_id: "msg_1", error_code: "BATCH_INVALID" }]);
    expect(rows[0]?.body.toString()).toBe(odd);
  });

  test("answers 503 to a body that is not a batch if it cannot be kept, so that QStash keeps it", async () => {
    const { db } = await openTestStore();
    const saving = { saveUndecodable: () => Promise.reject(new Error("full")) };
    const response = await answerIngestionCall(await call("{}"), { ...optionsFor(createHandling(db)), ...saving });
    expect([response.status, response.headers.get("upstash-nonretryable-error")]).toEqual([503, null]);
  });

  test("answers 503 without Retry-After when the database is down", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const options = optionsFor(createHandling(db));
    const response = await answerIngestionCall(await call(body), options);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, null]);
    expect(await response.json()).toEqual({
      error: { code: "STORE_UNAVAILABLE", message: "The database is unavailable" },
    });
    await options.done();
    await close();
  });

  test("answers 503 and names the missing variable", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const readQstash = () => {
      throw new RelayError("ENV_INVALID", "Configuration is incomplete: DATABASE_URL is not set");
    };
    const response = await answerIngestionCall(await call("{}"), { ...optionsFor(createHandling(db)), readQstash });
    expect(response.status).toBe(503);
    await close();
  });

  test("stores the batch also while too many handlers run, and leaves its handlers to a message", async () => {
    const { db, pool } = await openTestStore();
    const work = { ...createProcessWork().work, runs: createPlaces(1, timersThatFire) };
    await work.runs.enter(0);
    const handling = createHandling(db, undefined, { work });
    const options = optionsFor(handling);
    const response = await answerIngestionCall(await call(body), options);
    expect([response.status, await response.json()]).toEqual([200, { inserted: 2, duplicates: 0 }]);
    await options.done();
    const released = { state: "open", attempts: 0, leased: false };
    expect(await readWork(pool)).toMatchObject([released, released]);
    expect(handling.published).toMatchObject([{ eventIds: [1, 2], delayMs: 10_000 }]);
  });

  test("sheds while the pool is busy, for longer than QStash would wait, and stores nothing", async () => {
    const { db, pool } = await openTestStore();
    const waiting = Array.from({ length: 11 * pool.options.max }, () => pool.query("select pg_sleep(0.05)"));
    const options = optionsFor(createHandling(db));
    const response = await answerIngestionCall(await call(body, { "upstash-retried": "1" }), options);
    expect([response.status, Number(response.headers.get("retry-after"))]).toEqual([503, 164]);
    expect(await response.json()).toMatchObject({ error: { code: "OVERLOADED" } });
    await Promise.all([...waiting, options.done()]);
    expect(await readKeys(pool, "stored")).toEqual([]);
    expect(await readAttempts(pool)).toMatchObject([{ status: 503, error_code: "OVERLOADED" }]);
  });

  test("waits for a place while another delivery's handlers run", async () => {
    const { db, pool } = await openTestStore();
    const work = { ...createProcessWork().work, runs: createPlaces(1, { after: () => () => {} }) };
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const options = optionsFor(createHandling(db, () => gate, { work }));
    expect((await answerIngestionCall(await call(body), options)).status).toBe(200);
    const second = answerIngestionCall(await call(JSON.stringify(testBatch("d2", [testEvent("c")]))), options);
    open();
    expect((await second).status).toBe(200);
    await options.done();
    expect(await readKeys(pool, "handled")).toHaveLength(3);
  });
});

describe("answerHandlers()", () => {
  test("runs what is due, says how many, and does nothing when it comes again", async () => {
    const { db, pool } = await openTestStore();
    let broken = true;
    const handling = createHandling(db, () => {
      if (broken) throw new Error("x");
    });
    const options = optionsFor(handling);
    await answerIngestionCall(await call(JSON.stringify(testBatch("d1", [testEvent("a"), testEvent("b")]))), options);
    await options.done();
    broken = false;
    const eventIds = handling.published[0]?.eventIds ?? [];
    const body = encodeHandlersMessage({ eventIds, replay: null });
    const answers = [];
    for (const prepare of [() => Promise.resolve(), () => makeDue(pool), () => Promise.resolve()]) {
      await prepare();
      const response = await answerHandlersCall(await call(body), options);
      answers.push([response.status, await response.json()]);
    }
    expect(answers).toEqual([
      [200, { handled: 0, failed: 0, skipped: 2 }],
      [200, { handled: 2, failed: 0, skipped: 0 }],
      [200, { handled: 0, failed: 0, skipped: 2 }],
    ]);
    expect(handling.recording.of("handlers.finished")).toHaveLength(2);
  });

  test.each([
    ["{}", 489],
    ['{"version":1,"eventIds":[],"replay":null}', 489],
    ['{"version":1,"eventIds":[1.5],"replay":null}', 489],
    [`{"version":1,"eventIds":[${Array(201).fill(1).join()}],"replay":null}`, 489],
    ['{"version":2,"ids":[1]}', 503],
  ])("answers %s with %i", async (body, status) => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    expect((await answerHandlersCall(await call(body), optionsFor(createHandling(db)))).status).toBe(status);
    await close();
  });

  test("sheds while too many handlers run, for longer than QStash would wait", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const work = { ...createProcessWork().work, runs: createPlaces(1, timersThatFire) };
    await work.runs.enter(0);
    const body = encodeHandlersMessage({ eventIds: [1], replay: null });
    const options = optionsFor(createHandling(db, undefined, { work }));
    const response = await answerHandlersCall(await call(body), options);
    expect([response.status, Number(response.headers.get("retry-after"))]).toEqual([503, 14]);
    expect(await response.json()).toMatchObject({ error: { code: "OVERLOADED" } });
    await close();
  });

  test("answers 503 when the database is down, so that QStash delivers the message again", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const body = encodeHandlersMessage({ eventIds: [1], replay: null });
    expect((await answerHandlersCall(await call(body), optionsFor(createHandling(db)))).status).toBe(503);
    await close();
  });

  test("answers 401 to a call that QStash did not sign", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const body = encodeHandlersMessage({ eventIds: [1], replay: null });
    const response = await answerHandlersCall(
      await call(body, { "upstash-signature": "a.b.c" }),
      optionsFor(createHandling(db)),
    );
    expect(response.status).toBe(401);
    await close();
  });
});
