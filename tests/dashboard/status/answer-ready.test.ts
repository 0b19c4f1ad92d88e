import { expect, test } from "vitest";

import { answerReady } from "#dashboard/status/answer-ready.ts";
import { warnOfOtherQueue } from "#platform/built-queue.ts";

import { createRecordingLog } from "../../support/recording-log.ts";

const whole = {
  INSTAGRAM_APP_SECRET: "s",
  INSTAGRAM_VERIFY_TOKEN: "t",
  QSTASH_TOKEN: "t",
  QSTASH_CURRENT_SIGNING_KEY: "k",
  QSTASH_NEXT_SIGNING_KEY: "k",
  RELAY_SECRET: "relay-secret-of-thirty-two-characters",
  RELAY_URL: "https://relay.example",
  // Nothing listens there: readiness does not ask.
  DATABASE_URL: "postgresql://127.0.0.1:1/none",
};

test("a process is ready without Postgres, and not without a variable that the webhook needs, which is named", async () => {
  const recording = createRecordingLog();
  const answer = (env: Record<string, string>) =>
    answerReady({ env, queue: "qstash", deployment: "build-1", version: "1.2.3", log: recording.log });
  const ready = answer(whole);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { status: "ready", version: "1.2.3", deployment: "build-1" },
  ]);
  expect(answer({ ...whole, RELAY_SECRET: "short" }).status).toBe(503);
  const reason = expect.stringContaining("RELAY_SECRET is shorter than 32 characters") as string;
  expect(recording.of("health.failed")).toMatchObject([{ level: "error", code: "ENV_INVALID", reason }]);
});

test("a process whose build has another queue than QUEUE names says so with the variables that it lacks, and as it starts", async () => {
  const recording = createRecordingLog();
  const answer = (env: Record<string, string>) =>
    answerReady({ env, queue: "sqs", deployment: null, version: "1.2.3", log: recording.log });
  const sqs = { SQS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/1/q", SQS_ACCESS_KEY_ID: "id" };
  const differs = "this build was made for sqs, and QUEUE names another queue: it decides only while building";
  expect(await answer({ ...whole, ...sqs, QUEUE: "qstash" }).text()).toContain(
    `Configuration is incomplete: SQS_SECRET_ACCESS_KEY is not set; ${differs}`,
  );
  expect(await answer({ ...whole, ...sqs, QUEUE: "sqs" }).text()).not.toContain("was made for");
  // A server that lacks nothing serves: it publishes to the queue of its build.
  const complete = { ...whole, ...sqs, SQS_SECRET_ACCESS_KEY: "key" };
  expect(answer({ ...complete, QUEUE: "redis" }).status).toBe(200);
  for (const QUEUE of ["redis", "", "sqs"]) warnOfOtherQueue({ ...complete, QUEUE }, "sqs", recording.log);
  expect(recording.of("queue.differs")).toMatchObject(
    Array.from({ length: 2 }, () => ({ level: "warn", queue: "sqs", reason: differs })),
  );
});
