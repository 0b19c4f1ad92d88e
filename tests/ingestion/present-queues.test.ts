import { expect, test } from "vitest";

import { presentQueues } from "#ingestion/drain/present-queues.ts";
import { RelayError } from "#platform/errors.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";

import { createRecordingLog } from "../support/recording-log.ts";

const queue: PulledQueue = { take: async () => [], acknowledge: async () => {}, giveBack: async () => {} };
const { log, of } = createRecordingLog();
const open = { postgres: () => queue, sqs: () => queue, redis: () => queue };
const store = { DATABASE_URL: "postgresql://db.example/relay" };

test.each([
  [{}, ["postgres"]],
  [{ SQS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/1/batches" }, ["postgres", "sqs"]],
  [{ QUEUE_REDIS_REST_URL: "https://db.example" }, ["postgres", "redis"]],
  // As Upstash's integrations set them.
  [{ UPSTASH_REDIS_REST_URL: "https://db.example" }, ["postgres", "redis"]],
  [{ KV_REST_API_URL: "https://db.example", SQS_QUEUE_URL: " " }, ["postgres", "redis"]],
])("with %o the drain takes from %o", (variables, names) => {
  expect(presentQueues({ ...store, ...variables }, open, log).map(({ name }) => name)).toEqual(names);
});

test("a queue whose variables are malformed is named in the log, and the others are drained", () => {
  const variables = { ...store, SQS_QUEUE_URL: "not an address", KV_REST_API_URL: "https://db.example" };
  const refuse = () => {
    throw new RelayError("ENV_INVALID", "Configuration is incomplete: SQS_QUEUE_URL is malformed");
  };
  expect(presentQueues(variables, { ...open, sqs: refuse }, log).map(({ name }) => name)).toEqual([
    "postgres",
    "redis",
  ]);
  expect(of("drain.queue_failed")).toMatchObject([
    { level: "error", queue: "sqs", code: "ENV_INVALID", reason: expect.stringContaining("SQS_QUEUE_URL") },
  ]);
});
