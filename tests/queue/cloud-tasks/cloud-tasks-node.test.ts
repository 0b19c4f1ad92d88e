import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { createCloudTasksApi } from "#queue/cloud-tasks/cloud-tasks-api.ts";
import { createCloudTasksMessagePublisher } from "#queue/cloud-tasks/cloud-tasks-message-publisher.ts";
import { createCloudTasksPause } from "#queue/cloud-tasks/cloud-tasks-pause.ts";

import { startSink } from "../../support/http-sink.ts";
import { accountOf, queue, startCloudTasks } from "./stand-in.ts";

async function open() {
  const tasks = await startCloudTasks();
  const relay = await startSink();
  onTestFinished(async () => {
    await tasks.close();
    await relay.close();
  });
  const options = { url: tasks.url, queue, account: accountOf(tasks.keyJson), fetch, clock };
  const publisher = createCloudTasksMessagePublisher({ ...options, relayUrl: relay.url, bypassSecret: null });
  const pause = createCloudTasksPause(createCloudTasksApi({ ...options, timeoutMs: 5_000 }));
  return { tasks, relay, publisher, pause };
}

const message = { to: "handlers" as const, body: '{"é":1}', label: "handlers", retries: 3 };

test("the relay's own message calls its route, with the number of its retries", async () => {
  const { relay, publisher } = await open();
  const { messageId } = await publisher.publish(message, 5_000);
  const { target, headers, body } = await relay.next();
  expect([target, body.toString()]).toEqual(["/api/cloud-tasks/handlers", '{"é":1}']);
  expect(headers).toMatchObject({ "x-relay-retries": "3", "x-cloudtasks-taskname": messageId });
});

test("a message with a delay waits for it, in whole seconds", async () => {
  const { tasks, relay, publisher } = await open();
  const beforeMs = Date.now();
  await publisher.publish({ ...message, delayMs: 3_600_001, deduplicationId: "one" }, 5_000);
  const [{ task } = { task: undefined }] = tasks.waiting.values();
  const delayMs = Date.parse(task?.scheduleTime ?? "") - beforeMs;
  expect(delayMs).toBeGreaterThanOrEqual(3_601_000);
  expect(delayMs).toBeLessThan(3_611_000);
  expect(relay.requests).toEqual([]);
});

test("a message with a rate waits for its turn, because the queue holds none", async () => {
  const { tasks, publisher } = await open();
  const beforeMs = Date.now();
  await publisher.publish({ ...message, flowControl: { key: "replay", value: "rate=1", delayMs: 5_000 } }, 5_000);
  const [{ task } = { task: undefined }] = tasks.waiting.values();
  expect(Date.parse(task?.scheduleTime ?? "") - beforeMs).toBeGreaterThanOrEqual(5_000);
});

test("a paused queue holds back what it accepts, and says how much", async () => {
  const { relay, publisher, pause } = await open();
  expect(await pause.read()).toEqual({ paused: false, waiting: 0 });
  await pause.change(true);
  await publisher.publish(message, 5_000);
  expect(await pause.read()).toEqual({ paused: true, waiting: 1 });
  expect(relay.requests).toEqual([]);
  await pause.change(false);
  await relay.next();
  expect((await pause.read()).paused).toBe(false);
});
