import { describe, expect, test } from "vitest";

import type { Handler } from "#handlers/handler.ts";
import { type AnswerFallbackIngestionOptions, answerFallbackIngestion } from "#ingestion/answer-fallback-ingestion.ts";
import { ingest } from "#ingestion/ingest.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { internalSignatureHeader, signInternal } from "#platform/internal-signature.ts";
import { type Database, openDatabase } from "#store/database.ts";
import { deliveries, events } from "#store/schema.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "../support/handlers.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

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

function optionsFor(db: Database | null, message: Handler = () => {}) {
  const recording = createRecordingLog();
  const waitedFor: Promise<unknown>[] = [];
  const options: AnswerFallbackIngestionOptions = {
    readSettings: () => ({ secret, webhookBytesMax: 3_145_728 }),
    openIngest: () => {
      if (db === null) throw new Error("The database was opened");
      return { db, handlers: createHandlers(undefined, { message }), handlerTimeoutMs: 1_000, trace: noTrace };
    },
    waitUntil: (promise) => {
      waitedFor.push(promise);
    },
    clock,
    log: recording.log,
  };
  return { ...options, recording, waitedFor };
}

const handledKeys = async (db: Database) =>
  (await db.select().from(events)).filter(({ handledAt }) => handledAt !== null).map(({ key }) => key);

describe("answerFallbackIngestion()", () => {
  test("stores a batch once, also if the consumer gets it later", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db);
    const first = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([first.status, await first.json()]).toEqual([200, { inserted: 2, duplicates: 0 }]);
    const second = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([second.status, await second.json()]).toEqual([200, { inserted: 0, duplicates: 2 }]);
    await Promise.all(options.waitedFor);
    const fromQueue = await ingest(batch, { ...options.openIngest(), clock, log: options.recording.log });
    expect(fromQueue).toEqual({ inserted: 0, duplicates: 2 });
  });

  test("sets the outcome until the forward's own report replaces it", async () => {
    const { db } = await openTestStore();
    await answerFallbackIngestion(await call(JSON.stringify(batch)), optionsFor(db));
    expect(await db.select().from(deliveries)).toMatchObject([{ id: "d1", outcome: "fallback", reportedAt: null }]);
  });

  test("accepts the largest delivery that the webhook accepts, in base64", async () => {
    const { db } = await openTestStore();
    const data = { bodyBase64: "A".repeat(Math.ceil((3_145_728 * 4) / 3)) };
    const large = testBatch("d2", [testEvent("large", { kind: "unknown", data })]);
    expect((await answerFallbackIngestion(await call(JSON.stringify(large)), optionsFor(db))).status).toBe(200);
  });

  test("answers before the handlers run, and registers them with waitUntil", async () => {
    const { db } = await openTestStore();
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const options = optionsFor(db, () => gate);
    const response = await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect([response.status, await handledKeys(db)]).toEqual([200, []]);
    open();
    await Promise.all(options.waitedFor);
    expect((await handledKeys(db)).toSorted()).toEqual(["message:1:a", "message:1:b"]);
  });

  test("keeps events whose handler fails, and no promise rejects", async () => {
    const { db } = await openTestStore();
    const options = optionsFor(db, () => {
      throw new Error("the customer's words");
    });
    expect((await answerFallbackIngestion(await call(JSON.stringify(batch)), options)).status).toBe(200);
    await Promise.all(options.waitedFor);
    expect(await db.select().from(events)).toHaveLength(2);
    expect(options.recording.of("fallback.handlers_failed")).toMatchObject([
      { deliveryId: "d1", code: "HANDLER_FAILED" },
    ]);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });

  test("runs the handlers before it answers if the host keeps nothing alive afterwards", async () => {
    const { db } = await openTestStore();
    const waitUntil = () => {
      throw new Error("This host keeps nothing alive after a response");
    };
    const options = { ...optionsFor(db), waitUntil };
    await answerFallbackIngestion(await call(JSON.stringify(batch)), options);
    expect(await handledKeys(db)).toHaveLength(2);
    expect(options.recording.of("fallback.wait_until_failed")).toMatchObject([{ level: "error", deliveryId: "d1" }]);
  });

  test("answers 503 when the database is down, so that the forward tries again", async () => {
    const { db, close } = openDatabase("postgres://nobody@127.0.0.1:1/nowhere");
    const response = await answerFallbackIngestion(await call(JSON.stringify(batch)), optionsFor(db));
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
