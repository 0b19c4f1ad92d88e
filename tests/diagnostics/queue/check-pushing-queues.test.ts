import { beforeAll, describe, expect, test } from "vitest";

import { diagnoseQueue } from "#diagnostics/queue/diagnose-queue.ts";
import { judgeCloudTasksQueue } from "#diagnostics/queue/judge-cloud-tasks-queue.ts";
import { systemClock as clock } from "#platform/clock.ts";

import { type CloudTasksStandIn, queue, startCloudTasks } from "../../queue/cloud-tasks/stand-in.ts";
import { startVercelQueue } from "../../queue/vercel/stand-in.ts";
import { find, goodEnvironment, troubles } from "../environment.ts";

describe("diagnoseQueue() of Cloud Tasks", () => {
  let tasks: CloudTasksStandIn;
  let env: Record<string, string>;
  beforeAll(async () => {
    tasks = await startCloudTasks();
    tasks.setRetryConfig({ maxAttempts: -1 });
    env = {
      ...goodEnvironment,
      CLOUD_TASKS_QUEUE: queue,
      CLOUD_TASKS_URL: tasks.url,
      GOOGLE_SERVICE_ACCOUNT_KEY: tasks.keyJson,
      GOOGLE_CERTS_URL: tasks.certsUrl,
    };
    return tasks.close;
  });
  const diagnose = (changes: Record<string, string> = {}) =>
    diagnoseQueue({ queue: "cloud-tasks", env: { ...env, ...changes }, clock, fetch });

  test("finds nothing wrong, and leaves nothing in the queue", async () => {
    const diagnosis = await diagnose();
    expect(troubles(diagnosis)).toEqual([]);
    const names = ["Settings", "Key and queue", "State", "Retries", "Create a task", "Google's keys"];
    expect(diagnosis.checks.map(({ name }) => name)).toEqual(names);
    expect(tasks.waiting.size).toBe(0);
  });

  test("tells a wrong key, a missing queue and a missing variable apart", async () => {
    const wrongKey = await diagnose({ GOOGLE_SERVICE_ACCOUNT_KEY: tasks.strangerJson });
    expect(find(wrongKey, "Key and queue")).toMatchObject({ status: "failed", detail: "PUBLISH_UNAUTHORIZED" });
    const noQueue = await diagnose({ CLOUD_TASKS_QUEUE: queue.replace("relay", "other") });
    expect(find(noQueue, "Create a task")).toMatchObject({ status: "failed", detail: "PUBLISH_NOT_FOUND" });
    const noKey = await diagnose({ GOOGLE_SERVICE_ACCOUNT_KEY: "{}" });
    expect(find(noKey, "Settings").cause).toContain("GOOGLE_SERVICE_ACCOUNT_KEY is malformed");
  });

  test("tells if Google's keys cannot be read", async () => {
    const diagnosis = await diagnose({ GOOGLE_CERTS_URL: `${tasks.url}/elsewhere` });
    expect(find(diagnosis, "Google's keys")).toMatchObject({ status: "failed" });
  });
});

test.each([
  [{ state: "RUNNING", retryConfig: { maxAttempts: -1, maxRetryDuration: "0s" } }, ["ok", "ok"]],
  [{ state: "RUNNING", retryConfig: { maxAttempts: 100 } }, ["ok", "warning"]],
  [{ state: "RUNNING", retryConfig: { maxAttempts: -1, maxRetryDuration: "3600s" } }, ["ok", "warning"]],
  [{ state: "PAUSED", retryConfig: { maxAttempts: -1 } }, ["warning", "ok"]],
  [{ state: "DISABLED" }, ["failed", "warning"]],
])("judges the queue %j", (described, expected) => {
  expect(judgeCloudTasksQueue(described).map(({ status }) => status)).toEqual(expected);
});

test("diagnoseQueue() of Vercel Queues tells a token that is missing or has expired", async () => {
  const vercel = await startVercelQueue({ relayUrl: () => "http://127.0.0.1:1" });
  const diagnose = (token: string) => {
    const env = { ...goodEnvironment, VERCEL_QUEUE_URL: vercel.url, VERCEL_OIDC_TOKEN: token };
    return diagnoseQueue({ queue: "vercel", env, clock, fetch });
  };
  expect(troubles(await diagnose(await vercel.signToken()))).toEqual([]);
  for (const token of ["", await vercel.signToken(-60)]) {
    const check = find(await diagnose(token), "Send a message");
    expect(check).toMatchObject({ status: "failed", detail: "PUBLISH_UNAUTHORIZED" });
  }
  await vercel.close();
});
