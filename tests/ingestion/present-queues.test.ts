import { expect, test } from "vitest";

import { presentQueues } from "#ingestion/drain/present-queues.ts";
import type { PulledQueue } from "#queue/pulled-queue.ts";

const queue: PulledQueue = { take: async () => [], acknowledge: async () => {}, giveBack: async () => {} };
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
  expect(presentQueues({ ...store, ...variables }, open).map(({ name }) => name)).toEqual(names);
});
