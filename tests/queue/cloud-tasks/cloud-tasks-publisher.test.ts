import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { createCloudTasksPublisher } from "#queue/cloud-tasks/cloud-tasks-publisher.ts";

import { startHttpFaultProxy } from "../../support/http-fault-proxy.ts";
import { startSink } from "../../support/http-sink.ts";
import { testPublisher } from "../publisher-contract.ts";
import errors from "./recorded/errors.json" with { type: "json" };
import { accountOf, queue, startCloudTasks } from "./stand-in.ts";

const dayMs = 86_400_000;

testPublisher("Cloud Tasks", async () => {
  const tasks = await startCloudTasks();
  const consumer = await startSink();
  const proxy = await startHttpFaultProxy({ target: tasks.url });
  const open = (keyJson: string, at = clock) =>
    createCloudTasksPublisher({
      url: proxy.url,
      queue,
      account: accountOf(keyJson),
      relayUrl: consumer.url,
      bypassSecret: "bypass",
      fetch,
      clock: at,
    });
  const { status, body } = errors.RESOURCE_EXHAUSTED;
  return {
    publisher: open(tasks.keyJson),
    strangers: {
      wrong: open(tasks.strangerJson),
      expired: open(tasks.keyJson, { ...clock, nowMs: () => Date.now() - dayMs }),
      unusable: open(tasks.keyJson.replace(/(PRIVATE KEY-----\\n)[^\\]{20}/, `$1${"A".repeat(20)}`)),
    },
    proxy,
    throttled: () => ({ answer: { status, body: Buffer.from(JSON.stringify(body)) }, retryAfterMs: 30_000 }),
    readDelivered: async () => consumer.requests.map((request) => request.body),
    close: async () => {
      await tasks.close();
      await proxy.close();
      await consumer.close();
    },
  };
});

test("after a 401 the next task is created with another token", async () => {
  const { keyJson, close } = await startCloudTasks();
  const google = await startSink({ respond: () => ({ status: 401 }) });
  onTestFinished(async () => {
    await google.close();
    await close();
  });
  let nowMs = clock.nowMs();
  const publisher = createCloudTasksPublisher({
    url: google.url,
    queue,
    account: accountOf(keyJson),
    relayUrl: "https://relay.example",
    bypassSecret: null,
    fetch,
    clock: { ...clock, nowMs: () => nowMs },
  });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const batch = { body: new TextEncoder().encode("{}"), deduplicationId: "delivery-0", traceparent: null };
    await expect(publisher.publish(batch, 5_000)).rejects.toMatchObject({ code: "PUBLISH_UNAUTHORIZED" });
    // Another time makes another token.
    nowMs += 1_000;
  }
  expect(new Set(google.requests.map(({ headers }) => headers.authorization)).size).toBe(2);
});
