import { describe, expect, test } from "vitest";

import { answerFailure } from "#ingestion/answer-failure.ts";
import { answerIngestion } from "#ingestion/answer-ingestion.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { RelayError } from "#platform/errors.ts";
import { openDatabase } from "#store/database.ts";
import { saveDeadLetter } from "#store/save-dead-letter.ts";
import { deadLetters } from "#store/schema.ts";
import { noTrace } from "#tracing/trace.ts";

import { createHandlers } from "../support/handlers.ts";
import { signDelivery, signingKeys } from "../support/qstash-token.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

const url = "https://relay.example/api/qstash/instagram-ingestion";

async function call(body: string, headers: Record<string, string> = {}): Promise<Request> {
  const signature = await signDelivery({ body: new TextEncoder().encode(body), sub: url });
  return new Request("http://localhost:3000/", {
    method: "POST",
    body,
    headers: { "upstash-signature": signature, ...headers },
  });
}

function routeOptions() {
  const recording = createRecordingLog();
  return { clock, log: recording.log, recording, readQstash: () => ({ ...signingKeys, urls: [url] }) };
}

describe("answerFailure()", () => {
  const callback = {
    status: 500,
    header: {},
    body: "",
    retried: 5,
    maxRetries: 5,
    sourceMessageId: "msg_1",
    dlqId: "1725323658779-0",
    url,
    method: "POST",
    sourceBody: Buffer.from(JSON.stringify(testBatch("d1", [testEvent("a")]))).toString("base64"),
    createdAt: "1700000000000",
  };

  test("records a dead letter once, with its delivery", async () => {
    const { db } = await openTestStore();
    const options = { ...routeOptions(), save: saveDeadLetter.bind(null, db) };
    const answers = [];
    for (let time = 0; time < 2; time += 1) {
      const response = await answerFailure(await call(JSON.stringify(callback)), options);
      answers.push([response.status, await response.json()]);
    }
    expect(answers).toEqual([
      [200, { recorded: true }],
      [200, { recorded: false }],
    ]);
    expect(await db.select().from(deadLetters)).toMatchObject([
      { id: "1725323658779-0", messageId: "msg_1", deliveryId: "d1", url, status: 500, retried: 5 },
    ]);
    expect(JSON.stringify(options.recording.lines)).not.toContain("customer");
  });

  test.each([
    ["cut in its first bytes", callback.sourceBody.slice(0, 13)],
    ["no batch", Buffer.from("hello").toString("base64")],
    ["no base64", "!!!"],
    ["missing", undefined],
  ])("records it also if the copy of the message is %s", async (_name, sourceBody) => {
    const { db } = await openTestStore();
    const options = { ...routeOptions(), save: saveDeadLetter.bind(null, db) };
    const response = await answerFailure(await call(JSON.stringify({ ...callback, sourceBody })), options);
    expect(response.status).toBe(200);
    expect(await db.select().from(deadLetters)).toMatchObject([{ messageId: "msg_1", deliveryId: null }]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["numbers beyond a column", { status: 1e300, retried: -5e9 }, { status: 2_147_483_647, retried: -2_147_483_647 }],
    ["numbers that are not whole", { status: 502.5, retried: "5" }, { status: 503, retried: 0 }],
    ["NUL and half surrogates in its ids", { dlqId: "a\0b", sourceMessageId: "\ud83d" }, { id: "a\ufffdb" }],
    ["an id that is a number", { dlqId: 7 }, { id: "7" }],
    ["ids and an address of a megabyte", { dlqId: "x".repeat(1e6), url: `https://${"y".repeat(1e6)}` }, {}],
    ["hardly anything", { sourceMessageId: null, url: 1, status: null, retried: {}, sourceBody: [] }, { status: 0 }],
    [
      "a message of another version",
      { sourceBody: btoa('{"version":12,"delivery":{"id":"d9","more":1}}') },
      { deliveryId: "d9" },
    ],
  ])("records a callback with %s", async (_name, odd, expected) => {
    const { db } = await openTestStore();
    const options = { ...routeOptions(), save: saveDeadLetter.bind(null, db) };
    const response = await answerFailure(await call(JSON.stringify({ ...callback, ...odd })), options);
    expect([response.status, await response.json()]).toEqual([200, { recorded: true }]);
    expect(await db.select().from(deadLetters)).toMatchObject([expected]);
  });

  test("answers 489 to a body that is not a callback", async () => {
    const save = () => expect.unreachable();
    const response = await answerFailure(await call("{}"), { ...routeOptions(), save });
    expect(response.status).toBe(489);
  });
});
