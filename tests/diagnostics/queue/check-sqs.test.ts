import { beforeAll, describe, expect, test } from "vitest";

import { diagnoseQueue } from "#diagnostics/queue/diagnose-queue.ts";
import { judgeSqsQueue } from "#diagnostics/queue/judge-sqs-queue.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { createSqsPulledQueue } from "#queue/sqs/sqs-pulled-queue.ts";

import { eventually } from "../../support/eventually.ts";
import { type SqsServer, startSqsServer } from "../../queue/sqs/sqs-server.ts";
import { fetchBesideDrain, find, goodEnvironment, troubles } from "../environment.ts";

describe("diagnoseQueue() of SQS", () => {
  let server: SqsServer;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = await startSqsServer();
    env = {
      ...goodEnvironment,
      SQS_QUEUE_URL: `${server.url}/000000000000/batches.fifo`,
      SQS_REGION: server.credentials.region,
      SQS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      SQS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    };
    server.createQueue("batches.fifo", { attributes: { FifoQueue: "true" } });
    return server.close;
  });
  const diagnose = (changes: Record<string, string> = {}, at = clock) =>
    diagnoseQueue({ queue: "sqs", env: { ...env, ...changes }, clock: at, fetch: fetchBesideDrain });

  test("finds nothing wrong, and what it sends is deleted by the drain", async () => {
    const diagnosis = await diagnose();
    expect(troubles(diagnosis)).toEqual([]);
    expect(diagnosis.checks.map(({ name }) => name)).toEqual([
      "Settings",
      "Key and queue",
      "Clock",
      "Publish",
      "Delete",
      "Message size",
      "Dead-letter queue of SQS",
      "Retention",
      "Delay",
      "Waiting batches",
      "Drain",
    ]);
    const queue = createSqsPulledQueue({
      queueUrl: env["SQS_QUEUE_URL"] ?? "",
      ...server.credentials,
      waitSeconds: 0,
      fetch,
      clock,
    });
    server.actions.length = 0;
    expect(await queue.take(10, 60_000, 5_000)).toEqual([]);
    await eventually("the mark is deleted", () => server.actions.includes("DeleteMessageBatch"));
    expect(find(await diagnose(), "Waiting batches").detail).toBe("about 0, and 0 taken");
  });

  test("explains a wrong key, a wrong clock, a queue that is not there and a server that is not", async () => {
    const wrong = find(await diagnose({ SQS_SECRET_ACCESS_KEY: "another-secret-only-here" }), "Key and queue");
    expect(wrong).toMatchObject({ status: "failed", detail: "PUBLISH_UNAUTHORIZED" });
    expect(wrong.remedy).toMatch(/sqs:SendMessage/);
    expect(JSON.stringify(wrong)).not.toContain("only-here");

    const late = { ...clock, nowMs: () => clock.nowMs() + 20 * 60_000 };
    expect(find(await diagnose({}, late), "Key and queue").cause).toMatch(/the clock here differs/);
    const slow = { ...clock, nowMs: () => clock.nowMs() - 5 * 60_000 };
    expect(find(await diagnose({}, slow), "Clock")).toMatchObject({ status: "warning", detail: /s behind SQS's$/ });

    const missing = await diagnose({ SQS_QUEUE_URL: `${server.url}/000000000000/other` });
    expect(troubles(missing)).toEqual(["Key and queue: failed PUBLISH_NOT_FOUND"]);
    const unreachable = await diagnose({ SQS_QUEUE_URL: "http://127.0.0.1:1/000000000000/batches" });
    expect(troubles(unreachable)).toEqual(["Key and queue: failed not reached"]);
    expect(find(unreachable, "Key and queue").remedy).toMatch(/SQS_QUEUE_URL/);
  });

  test("warns of settings that lose or hold back batches", () => {
    const attributes = {
      MaximumMessageSize: "65536",
      RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:1:dead","maxReceiveCount":"5"}',
      MessageRetentionPeriod: "7200",
      DelaySeconds: "30",
    };
    expect(troubles({ ok: false, checks: judgeSqsQueue(attributes, 262_144) })).toEqual([
      "Message size: failed the queue takes 65536 bytes",
      "Dead-letter queue of SQS: warning after 5 takings",
      "Retention: warning 2 hours",
      "Delay: warning 30 s",
    ]);
  });
});
