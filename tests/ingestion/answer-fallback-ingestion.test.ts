import { describe, expect, test } from "vitest";

import { type AnswerFallbackIngestionOptions, answerFallbackIngestion } from "#ingestion/answer-fallback-ingestion.ts";
import { createPlaces } from "#ingestion/places.ts";
import { createProcessWork } from "#ingestion/process-work.ts";
import { runHandlersOf } from "#ingestion/run-handlers-of.ts";
import { type Clock, systemClock as clock } from "#platform/clock.ts";
import { internalSignatureHeader, signInternal } from "#platform/internal-signature.ts";
import { openDatabase } from "#store/connection/database.ts";

import { createHandling, type Handling, ingest } from "../support/handling.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { makeDue, readKeys, readWork } from "../support/work.ts";

const secret = "relay-secret";
const path = "/api/internal/fallback-ingestion";
const batch = testBatch("d1", [testEvent("a"), testEvent("b")]);

async function call(body: string, { nowMs = Date.now(), signedBody = body, by = secret } = {}): Promise<Request> {
  const signature = await signInternal(by, `POST ${path}`, new TextEncoder().encode(signedBody), nowMs);
  return new Request(`http://localhost:3000${path}`, {
    method: "POST",
    body,
    headers: { [internalSignatureHeader]: signature },
  });
}

function optionsFor(handling: Handling | null) {
  const waitedFor: Promise<unknown>[] = [];
  const recording = handling?.recording ?? createRecordingLog();
  const options: AnswerFallbackIngestionOptions = {
    readSettings: () => ({ secrets: [secret], webhookBytesMax: 3_145_728 }),
    openHandlers: () => {
      if (handling === null) throw new Error("The database was opened");
      return handling;
    },
    waitUntil: (promise) => void waitedFor.push(promise),
    clock,
    log: recording.log,
  };
  return { ...options, waitedFor };
}

describe("answerFallbackIngestion()", () => {
  test("stores a batch once, also if the consumer gets it later", async () => {
    const { db } = await openTestStore();
    const handling = createHandling(db);
    const options = optionsFor(handling);
    const first = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([first.status, await first.json()]).toEqual([200, { inserted: 2, duplicates: 0 }]);
    const second = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([second.status, await second.json()]).toEqual([200, { inserted: 0, duplicates: 2 }]);
    await Promise.all(options.waitedFor);
    expect(await ingest(batch, handling)).toEqual({ inserted: 0, duplicates: 2, handlers: null });
  });

  test("notes the way that the delivery came", async () => {
    const { db, pool } = await openTestStore();
    await answerFallbackIngestion(await call(JSON.stringify(batch)), optionsFor(createHandling(db)));
    const { rows } = await pool.query("select via, reported_at from relay.deliveries");
    expect(rows).toEqual([{ via: "fallback", reported_at: null }]);
  });

  test("accepts the largest delivery that the webhook accepts, in base64", async () => {
    const { db } = await openTestStore();
    const data = { bodyBase64: "A".repeat(Math.ceil((3_145_728 * 4) / 3)) };
    const large = testBatch("d2", [testEvent("large", { kind: "unknown", data })]);
    expect(
      (await answerFallbackIngestion(await call(JSON.stringify(large)), optionsFor(createHandling(db)))).status,
    ).toBe(200);
  });

  test("answers before the handlers run, and registers them with waitUntil", async () => {
    const { db, pool } = await openTestStore();
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const options = optionsFor(createHandling(db, () => gate));
    const response = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([response.status, await readKeys(pool, "handled")]).toEqual([200, []]);
    open();
    await Promise.all(options.waitedFor);
    expect(await readKeys(pool, "handled")).toEqual(["message:1:a", "message:1:b"]);
  });

  test("events whose handler fails are tried again as those that came through QStash", async () => {
    const { db, pool } = await openTestStore();
    let broken = true;
    const handling = createHandling(db, () => {
      if (broken) throw new Error("the customer's words");
    });
    const options = optionsFor(handling);
    expect((await answerFallbackIngestion(await call(JSON.stringify(batch)), options)).status).toBe(200);
    await Promise.all(options.waitedFor);
    expect(handling.published).toMatchObject([{ delayMs: 10_000 }]);
    expect(JSON.stringify(handling.recording.lines)).not.toContain("customer");
    broken = false;
    await makeDue(pool);
    const again = { eventIds: handling.published[0]?.eventIds ?? [], replay: null, messageId: "msg_retry" };
    expect(await runHandlersOf(again, handling)).toEqual({ handled: 2, failed: 0, skipped: 0 });
  });

  test("while too many handlers run it stores the events all the same, and leaves them to a message", async () => {
    const { db, pool } = await openTestStore();
    const after: Clock["after"] = (_delayMs, callback) => {
      queueMicrotask(callback);
      return () => {};
    };
    const work = { ...createProcessWork().work, runs: createPlaces(1, { after }) };
    await work.runs.enter(0);
    const handling = createHandling(db, undefined, { work });
    const options = optionsFor(handling);
    expect((await answerFallbackIngestion(await call(JSON.stringify(batch)), options)).status).toBe(200);
    await Promise.all(options.waitedFor);
    expect(await readWork(pool)).toMatchObject([
      { attempts: 0, leased: false },
      { attempts: 0, leased: false },
    ]);
    expect(handling.published).toMatchObject([{ delayMs: 10_000 }]);
  });

  test("runs the handlers before it answers if the host keeps nothing alive afterwards", async () => {
    const { db, pool } = await openTestStore();
    const waitUntil = () => {
      throw new Error("This host keeps nothing alive after a response");
    };
    const handling = createHandling(db);
    await answerFallbackIngestion(await call(JSON.stringify(batch)), { ...optionsFor(handling), waitUntil });
    expect(await readKeys(pool, "handled")).toHaveLength(2);
    expect(handling.recording.of("handlers.wait_until_failed")).toMatchObject([{ level: "error", deliveryId: "d1" }]);
  });

  test("answers 503 when the database is down, so that the forward tries again", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const response = await answerFallbackIngestion(await call(JSON.stringify(batch)), optionsFor(createHandling(db)));
    expect([response.status, await response.json()]).toMatchObject([503, { error: { code: "STORE_UNAVAILABLE" } }]);
    await close();
  });

  test.each([
    ["a call under another secret", { by: "another" }],
    ["a call for another body", { signedBody: "{}" }],
    ["a call of six minutes ago", { nowMs: Date.now() - 6 * 60_000 }],
    ["a call of the future", { nowMs: Date.now() + 6 * 60_000 }],
  ])("answers 401 to %s, without opening the database", async (_name, how) => {
    const response = await answerFallbackIngestion(await call(JSON.stringify(batch), how), optionsFor(null));
    expect([response.status, await response.json()]).toMatchObject([401, { error: { code: "SIGNATURE_INVALID" } }]);
  });

  test("answers 401 to an unsigned call", async () => {
    const request = new Request(`http://localhost:3000${path}`, { method: "POST", body: JSON.stringify(batch) });
    expect((await answerFallbackIngestion(request, optionsFor(null))).status).toBe(401);
  });

  test("refuses a body that is not a batch, and one that is too large", async () => {
    const wrong = await answerFallbackIngestion(await call("{}"), optionsFor(null));
    expect([wrong.status, await wrong.json()]).toMatchObject([489, { error: { code: "BATCH_INVALID" } }]);
    const large = await answerFallbackIngestion(await call("x".repeat(5_000_000)), optionsFor(null));
    expect(large.status).toBe(413);
  });
});
