import { expect, test } from "vitest";

import { answerFailure } from "#ingestion/answer-failure.ts";
import { nodeDigests } from "#ingestion/node-digests.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { createAnswerQstash } from "#queue/qstash/answer-qstash.ts";
import { saveBatchLetter } from "#store/dead-letters/dead-letters.ts";

import { signDelivery, signingKeys } from "../support/qstash-token.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";

const url = "https://relay.example/api/qstash/instagram-ingestion";
const batch = JSON.stringify(testBatch("d1", [testEvent("a")]));
const base64 = (text: string) => Buffer.from(text).toString("base64");

const callback = {
  status: 500,
  header: {},
  body: base64('{"error":{"code":"INTERNAL"}}'),
  retried: 5,
  maxRetries: 5,
  sourceMessageId: "msg_1",
  dlqId: "1725323658779-0",
  url,
  method: "POST",
  sourceBody: base64(batch),
  createdAt: "1700000000000",
};

async function answer(body: string, save: Parameters<typeof answerFailure>[2]["save"], released: number[] = []) {
  const signature = await signDelivery({ body: new TextEncoder().encode(body), sub: url });
  const request = new Request("http://localhost:3000/", {
    method: "POST",
    body,
    headers: { "upstash-signature": signature },
  });
  const recording = createRecordingLog();
  const readQstash = () => ({ ...signingKeys, urls: [url] });
  const answerCall = createAnswerQstash({ clock, log: recording.log, readQstash, digests: nodeDigests });
  const response = await answerFailure(request, answerCall, {
    clock,
    save,
    release: async (ids) => void released.push(...ids),
  });
  return { status: response.status, json: (await response.json()) as unknown, lines: recording.lines };
}

async function record(odd: Record<string, unknown>) {
  const { db, pool } = await openTestStore();
  const answers = [];
  for (let time = 0; time < 2; time += 1) {
    answers.push(await answer(JSON.stringify({ ...callback, ...odd }), (letter) => saveBatchLetter(db, letter)));
  }
  const { rows } = await pool.query<Record<string, unknown>>(`
    select l.*, g.cause from relay.dead_letters l join relay.dead_letter_groups g on g.id = l.group_id`);
  return { answers, rows };
}

test("a dead letter is recorded once, with its delivery, its error and its bytes", async () => {
  const { answers, rows } = await record({});
  expect(answers).toMatchObject([
    { status: 200, json: { recorded: true } },
    { status: 200, json: { recorded: false } },
  ]);
  expect(rows).toMatchObject([
    {
      message_id: "msg_1",
      dlq_id: "1725323658779-0",
      batch_index: 0,
      url,
      status: 500,
      attempts: 6,
      cause: "qstash",
      error_name: "HTTP 500",
      error_code: "INTERNAL",
      body: Buffer.from(batch),
      body_whole: true,
      recorded_at: new Date(1_725_323_658_779),
      expires_at: new Date(1_725_323_658_779 + 3 * 86_400_000),
    },
  ]);
  expect(JSON.stringify(answers)).not.toContain("customer");
});

test.each([
  ["cut in its middle", base64(batch).slice(0, -41), { batch_index: 0, body_whole: false }],
  ["cut in its first bytes", base64(batch).slice(0, 13), { delivery_id: null, body_whole: false }],
  ["no batch", base64("hello"), { delivery_id: null, body_whole: false }],
  ["no base64", "!!!!", { delivery_id: null, body: null }],
  ["missing", undefined, { delivery_id: null, body: null }],
])("a dead letter is recorded also if the copy of the message is %s", async (_name, sourceBody, expected) => {
  const { answers, rows } = await record({ sourceBody });
  expect(answers).toMatchObject([{ json: { recorded: true } }, { json: { recorded: false } }]);
  expect(rows).toMatchObject([{ message_id: "msg_1", ...expected }]);
});

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ["numbers beyond a column", { status: 1e300, retried: -5e9 }, { status: 32_767, attempts: -1 }],
  ["numbers that are not whole", { status: 502.5, retried: "5" }, { attempts: 1 }],
  ["NUL and half surrogates in its ids", { dlqId: "a\0b", sourceMessageId: "\ud83d" }, { dlq_id: "a\ufffdb" }],
  ["an id that is a number", { dlqId: 7 }, { dlq_id: "7" }],
  ["ids and an address of a megabyte", { dlqId: "x".repeat(1e6), url: `https://${"y".repeat(1e6)}` }, {}],
  [
    "hardly anything",
    { sourceMessageId: null, url: 1, status: null, retried: {}, sourceBody: [], body: 1 },
    { status: 0, error_name: "NoAnswer", error_code: null },
  ],
  [
    "a message of another version",
    { sourceBody: base64('{"version":12,"delivery":{"id":"d9","more":1}}') },
    { batch_index: null, body_whole: true },
  ],
  ["a message that is too large", { status: 413 }, { cause: "too-large" }],
  ["a message that was no batch", { status: 489 }, { cause: "undecodable" }],
])("a dead letter is recorded with %s", async (_name, odd, expected) => {
  const { answers, rows } = await record(odd);
  expect(answers[0]).toMatchObject({ status: 200, json: { recorded: true } });
  expect(rows).toMatchObject([expected]);
});

test("a message to run handlers leaves its events to maintenance, and one to maintenance is no loss", async () => {
  const released: number[] = [];
  const save = () => expect.unreachable();
  const handlers = {
    ...callback,
    url: "https://relay.example/api/qstash/handlers",
    sourceBody: base64('{"version":1,"eventIds":[3,4],"replay":null}'),
  };
  expect(await answer(JSON.stringify(handlers), save, released)).toMatchObject({ status: 200 });
  expect(released).toEqual([3, 4]);
  const maintenance = { ...callback, url: "https://relay.example/api/qstash/maintenance" };
  expect(await answer(JSON.stringify(maintenance), save)).toMatchObject({ json: { recorded: false } });
});

test("a body that is not a callback is answered with 489", async () => {
  expect(await answer("{}", () => expect.unreachable())).toMatchObject({ status: 489 });
});
