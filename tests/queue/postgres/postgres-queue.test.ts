import { expect, onTestFinished, test } from "vitest";

import { createPostgresQueue } from "#ingestion/drain/postgres-queue.ts";
import { systemClock as clock } from "#platform/clock.ts";
import { openDatabase } from "#store/connection/database.ts";
import { enqueueMessage } from "#store/queue/queue-messages.ts";

import { createMigratedDatabase } from "../../support/postgres.ts";
import { openTestStore } from "../../support/store.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { jsonOf } from "../contract-bodies.ts";
import { testDrain } from "../drain-contract.ts";
import { testPublisher } from "../publisher-contract.ts";
import { testPulledQueue } from "../pulled-contract.ts";
import { startEnqueueRig } from "./rig.ts";

testPublisher("Postgres", async () => {
  const { url, drop } = await createMigratedDatabase();
  const database = openDatabase(url);
  const { publisher, stranger, proxy, close } = await startEnqueueRig(database.db);
  const queue = createPostgresQueue({ db: database.db, clock });
  const delivered: Uint8Array[] = [];
  return {
    publisher,
    strangers: { wrong: stranger },
    proxy,
    throttled: () => ({ answer: { status: 429, headers: { "retry-after": "30" } }, retryAfterMs: 30_000 }),
    readDelivered: async () => {
      const taken = await queue.take(100, 60_000, 5_000);
      for (const message of taken) await queue.acknowledge(message, 5_000);
      delivered.push(...taken.map(({ body }) => body));
      return delivered;
    },
    close: async () => {
      await close();
      await database.close();
      await drop();
    },
  };
});

testPulledQueue("Postgres", async () => {
  const { url, drop } = await createMigratedDatabase();
  const proxy = await startTcpProxy(url, 5432);
  const [one, other, direct] = [openDatabase(proxy.url), openDatabase(proxy.url), openDatabase(url)];
  return {
    queue: createPostgresQueue({ db: one.db, clock }),
    other: createPostgresQueue({ db: other.db, clock }),
    publish: (body, traceparent = null) =>
      enqueueMessage(direct.db, {
        route: "instagram-ingestion",
        body,
        delayMs: 0,
        deduplicationId: crypto.randomUUID(),
        label: "instagram",
        traceparent,
      }),
    bytesMax: 3_000_000,
    goDown: proxy.goDown,
    comeUp: proxy.comeUp,
    uncounts: true,
    close: async () => {
      await Promise.all([one.close(), other.close(), direct.close()]);
      await proxy.close();
      await drop();
    },
  };
});

testDrain("Postgres", async ({ db }) => {
  const { publisher, close } = await startEnqueueRig(db);
  return { publisher, settings: { name: "postgres" }, close };
});

test("a batch keeps the trace of its delivery", async () => {
  const { db } = await openTestStore();
  const { publisher, close } = await startEnqueueRig(db);
  onTestFinished(close);
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  for (const given of [traceparent, null])
    await publisher.publish(
      { body: jsonOf(200, `${given}`), deduplicationId: crypto.randomUUID(), traceparent: given },
      5_000,
    );
  const taken = await createPostgresQueue({ db, clock }).take(2, 60_000, 5_000);
  expect(taken.map((message) => message.traceparent)).toEqual([traceparent, null]);
});
