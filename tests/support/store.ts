import { onTestFinished } from "vitest";

import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { InstagramEvent, Json } from "#instagram/events.ts";
import type { Batch } from "#queue/batch.ts";
import { openDatabase, type OpenDatabase } from "#store/connection/database.ts";
import type { BatchToStore } from "#store/ingest/store-batch.ts";

import { createMigratedDatabase } from "./postgres.ts";

/** A migrated database of the test's own, gone when the test ends. */
export async function openTestStore(): Promise<OpenDatabase & { url: string }> {
  const { url, drop } = await createMigratedDatabase();
  const database = openDatabase(url);
  onTestFinished(async () => {
    await database.close();
    await drop();
  });
  return { ...database, url };
}

export function testEvent(mid: string, overrides: Partial<InstagramEvent> = {}): InstagramEvent {
  const data: Json = { sender: { id: "user" }, message: { mid, text: "the customer's words" } };
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
    data,
    ...overrides,
  };
}

/** A batch as the consumer, called at this time, stores it. */
export function toStore({ delivery: { batch, ...delivery }, events }: Batch, atMs = 1_700_000_002_000): BatchToStore {
  return {
    delivery,
    via: "queue",
    batch,
    events: events.map((event) => ({ ...event, ...findEventDrift(event) })),
    delivered: { atMs, monotonicMs: 0 },
    leaseMs: 20_000,
    messageId: "msg_1",
    retried: 0,
  };
}

export function testBatch(id: string, events: InstagramEvent[], batch: readonly [number, number] = [0, 1]): Batch {
  const delivery = {
    id,
    runtime: "edge",
    region: null,
    deployment: null,
    coldStart: false,
    receivedAtMs: 1_700_000_001_000,
    bodyBytes: 100,
    secretIndex: 0,
    probe: false,
    ackMs: null,
    publishStartedAtMs: null,
    batch,
  } as const;
  return { version: 2, delivery, events };
}
