import { onTestFinished } from "vitest";

import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/connection/database.ts";
import { leaseEvents } from "#store/handling/lease-events.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";

/** An instance of this release, whose handlers succeed. Resolves with the keys that it handled. */
export function startInstance(url: string) {
  const { db, close } = openDatabase(url);
  onTestFinished(close);
  const settle = (leased: Awaited<ReturnType<typeof storeBatch>>["leased"]) =>
    settleEvents(db, {
      results: leased.map((event) => ({ event, atMs: systemClock.nowMs(), ms: 1, outcome: "handled" })),
      counts: new Map(),
      deployment: null,
      messageId: null,
    });
  return {
    async ingest(id: string, events: InstagramEvent[]): Promise<string[]> {
      const { leased } = await storeBatch(db, {
        delivery: { ...facts, id },
        via: "queue",
        batch: [0, 1],
        events: events.map((event) => ({ ...event, ...findEventDrift(event) })),
        delivered: { atMs: systemClock.nowMs(), monotonicMs: systemClock.monotonicMs() },
        leaseMs: 10_000,
        messageId: null,
        retried: 0,
      });
      await settle(leased);
      return leased.map(({ key }) => key);
    },
    async handle(eventIds: number[]): Promise<number> {
      const { leased } = await leaseEvents(db, eventIds, { leaseMs: 10_000 });
      await settle(leased);
      return leased.length;
    },
    lease: (eventIds: number[]) => leaseEvents(db, eventIds, { leaseMs: 10_000 }),
  };
}

const facts = {
  runtime: "edge",
  region: null,
  coldStart: false,
  receivedAtMs: 1_700_000_001_000,
  bodyBytes: 100,
  secretIndex: 0,
  probe: false,
  deployment: null,
  ackMs: null,
  publishStartedAtMs: null,
} as const;
