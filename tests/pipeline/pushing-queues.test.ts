// Cloud Tasks and Vercel Queues, from the publisher to Postgres: the routes of both are open whichever queue publishes.
import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { systemClock as clock } from "#platform/clock.ts";
import { createCloudTasksPublisher } from "#queue/cloud-tasks/cloud-tasks-publisher.ts";
import type { QueuePublisher } from "#queue/publisher.ts";
import { createVercelPublisher } from "#queue/vercel/vercel-publisher.ts";

import { accountOf, queue, startCloudTasks } from "../queue/cloud-tasks/stand-in.ts";
import { startVercelQueue } from "../queue/vercel/stand-in.ts";
import { eventually } from "../support/eventually.ts";
import { startTestServer } from "../support/server.ts";
import { openTestStore, testBatch, testEvent } from "../support/store.ts";
import { findTestPort } from "../support/test-port.ts";

const secret = "relay-secret-of-thirty-two-characters";

/** Both queues, their publishers, and the built server with the variables of both. */
async function open() {
  const port = await findTestPort();
  const relayUrl = `http://127.0.0.1:${port}`;
  const store = await openTestStore();
  const tasks = await startCloudTasks({ retryMs: 100 });
  const vercel = await startVercelQueue({ relayUrl: () => relayUrl });
  const token = await vercel.signToken();
  const env = {
    DATABASE_URL: store.url,
    RELAY_URL: relayUrl,
    RELAY_SECRET: secret,
    QSTASH_URL: "http://127.0.0.1:1",
    QSTASH_TOKEN: "token",
    CLOUD_TASKS_QUEUE: queue,
    CLOUD_TASKS_URL: tasks.url,
    GOOGLE_SERVICE_ACCOUNT_KEY: tasks.keyJson,
    GOOGLE_CERTS_URL: tasks.certsUrl,
    VERCEL_QUEUE_URL: vercel.url,
    VERCEL_OIDC_TOKEN: token,
    VERCEL_DEPLOYMENT_ID: "dpl_example",
  };
  const start = () => startTestServer({ env, port });
  let server = await start();
  onTestFinished(async () => {
    await tasks.close();
    await vercel.close();
    await server.stop("SIGKILL");
  });
  const network = { fetch, clock };
  const account = accountOf(tasks.keyJson);
  const publishers: Record<"cloud-tasks" | "vercel", QueuePublisher> = {
    "cloud-tasks": createCloudTasksPublisher({
      ...network,
      url: tasks.url,
      queue,
      account,
      relayUrl,
      bypassSecret: null,
    }),
    vercel: createVercelPublisher({
      ...network,
      url: vercel.url,
      readToken: () => token,
      deploymentId: "dpl_example",
      secret,
    }),
  };
  return {
    ...store,
    publishers,
    tasks,
    vercel,
    async restart() {
      await server.stop("SIGKILL");
      server = await start();
    },
  };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function publish(publisher: QueuePublisher, id: string, body: Uint8Array<ArrayBuffer>) {
  await publisher.publish({ body, deduplicationId: id, traceparent: null }, 5_000);
}

/** With the end of the queue's own copy: neither queue keeps one. */
async function readLetters(pool: Pool) {
  const { rows } = await pool.query<{ url: string; body: Buffer; expires_at: Date | null }>(
    "select url, body, expires_at from relay.dead_letters order by url",
  );
  return rows.map(({ url, body, expires_at: copyEndsAt }) => [new URL(url).pathname, body.toString(), copyEndsAt]);
}

test("a batch comes into the store once, although the server dies; what is no batch becomes a dead letter", async () => {
  const { pool, publishers, tasks, vercel, restart } = await open();
  const isDone = () => tasks.waiting.size === 0 && vercel.messages.size === 0;

  for (const [name, publisher] of Object.entries(publishers)) {
    await publish(publisher, `${name}-none`, bytesOf(`{"no":"batch of ${name}"}`));
  }
  await eventually("both queues are rid of what is no batch", isDone);
  expect(await readLetters(pool)).toEqual([
    ["/api/cloud-tasks/instagram-ingestion", '{"no":"batch of cloud-tasks"}', null],
    ["/api/vercel/instagram-ingestion", '{"no":"batch of vercel"}', null],
  ]);

  const expected: string[] = [];
  const locker = await pool.connect();
  await locker.query("begin; lock table relay.events");
  for (const [name, publisher] of Object.entries(publishers)) {
    for (let index = 0; index < 3; index += 1) {
      const mid = `${name}-${index}`;
      expected.push(`message:1:${mid}`);
      await publish(publisher, mid, bytesOf(JSON.stringify(testBatch(crypto.randomUUID(), [testEvent(mid)]))));
    }
  }
  await eventually("deliveries wait for the store", async () => {
    const waiting = "select from pg_locks where relation = 'relay.events'::regclass and not granted";
    return (await pool.query(waiting)).rows.length > 0;
  });
  await restart();
  await locker.query("rollback");
  locker.release();
  await eventually("both queues are empty", isDone, 20_000);
  const { rows } = await pool.query<{ key: string }>("select key from relay.events order by key");
  expect(rows.map(({ key }) => key)).toEqual(expected.toSorted());
  expect(tasks.answers.some(({ status }) => status === 0)).toBe(true);
}, 60_000);
