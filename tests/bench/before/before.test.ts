import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";

import { createTestDatabase } from "../../support/postgres.ts";
import { openDatabaseBefore } from "./database.ts";
import { type BatchBefore, ingestBefore } from "./ingest-before.ts";
import { migrateBefore } from "./migrate-before.ts";

test("the previous release's store takes a batch once and handles its events", async () => {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  await migrateBefore(url);
  const { db, close } = openDatabaseBefore(url);
  const handled: string[] = [];
  const options = {
    db,
    clock: systemClock,
    handlerTimeoutMs: 1_000,
    handler: ({ kind }: { kind: string }) => void handled.push(kind),
  };

  expect(await ingestBefore(batch(), options)).toEqual({ handled: 2, failed: 0, unfinished: 0 });
  expect(await ingestBefore(batch(), options)).toEqual({ handled: 0, failed: 0, unfinished: 0 });
  await close();

  expect(handled).toEqual(["message", "message"]);
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `select count(*)::int as events, count(handled_at)::int as handled,
      (select count(*)::int from delivery_batches where handled_at is not null) as batches from events`,
  );
  await client.end();
  expect(rows).toEqual([{ events: 2, handled: 2, batches: 1 }]);
});

function batch(): BatchBefore {
  return {
    delivery: {
      id: "delivery",
      runtime: "edge",
      region: null,
      coldStart: false,
      receivedAtMs: 1_700_000_001_000,
      bodyBytes: 100,
      probe: false,
      batch: [0, 1],
    },
    events: ["m1", "m2"].map(message),
  };
}

function message(mid: string): InstagramEvent {
  return {
    key: `message:1:${mid}`,
    kind: "message",
    accountId: "1",
    senderId: "user",
    recipientId: "1",
    occurredAtMs: 1_700_000_000_000,
    sentAtMs: 1_700_000_000_500,
    standby: false,
    test: false,
    data: { sender: { id: "user" }, message: { mid, text: "Hello" } },
  };
}
