/** The ways to store a batch that are compared, each with a database of its own. */
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { Client, Pool, type PoolClient } from "pg";

import { createProcessWork } from "#ingestion/process-work.ts";
import { createSettlementQueue, type Settle } from "#ingestion/settlement-queue.ts";
import { findEventDrift } from "#instagram/data/find-drift.ts";
import type { InstagramEvent } from "#instagram/events.ts";
import { systemClock } from "#platform/clock.ts";
import { settleEvents } from "#store/handling/settle-events.ts";
import { storeBatch } from "#store/ingest/store-batch.ts";
import { migrateStore } from "#store/migrate.ts";

import { ingestBefore } from "./before/ingest-before.ts";
import { migrateBefore } from "./before/migrate-before.ts";
import { createBareTable, makeRowsBare, makeRowsBefore, makeRowsNow, randomDeliveryId } from "./store-rows.ts";

/** The ways, by the database that they store into. */
export const waysByDatabase = {
  now: ["now", "awaited"],
  before: ["before"],
  each: ["each"],
  bare: ["bare"],
} as const satisfies Record<string, readonly string[]>;
export type DatabaseName = keyof typeof waysByDatabase;
export const databaseNames = Object.keys(waysByDatabase) as DatabaseName[];

/**
 * `now`: as the consumer does, which answers when a batch is committed; that its events are handled is noted after the
 * answer. `awaited`: the same two statements, but the answer waits for both, as the previous release's did (`before`).
 * `each`: one insert for each event. `bare`: one insert for the batch. Both into one table, and nothing else.
 */
export type WayName = (typeof waysByDatabase)[DatabaseName][number];

/** A way to store, on its database. */
export interface StoreWay {
  name: WayName;
  /** Stores a batch of new events. Resolves when the queue would have its answer. */
  deliver(events: readonly InstagramEvent[]): Promise<void>;
  /** Resolves when all that was delivered is noted as handled. Rejects if something could not be noted. */
  settled(): Promise<void>;
  /** Statements sent so far. */
  readonly statements: number;
  close(): Promise<void>;
}

/** How to make a database, and rows in it. */
export const makers: Record<DatabaseName, { migrate: (url: string) => Promise<void>; makeRows: typeof makeRowsNow }> = {
  now: { migrate: migrateStore, makeRows: makeRowsNow },
  before: { migrate: migrateBefore, makeRows: makeRowsBefore },
  each: { migrate: createBare, makeRows: makeRowsBare },
  bare: { migrate: createBare, makeRows: makeRowsBare },
};

/** As many as a process has by default. */
const connectionsMax = 5;
const leaseMs = 11_500;
/** As the consumer waits for a place before it leaves handlers to a message. */
const placeWaitMs = 5_000;

/** Connections of its own to the database of this way. */
export function openStoreWay(name: WayName, url: string): StoreWay {
  const counted = { statements: 0 };
  // Between its slices a way is idle for longer than the usual limit; a server that is busy keeps its connections.
  const pool = new Pool({ connectionString: url, max: connectionsMax, idleTimeoutMillis: 0 });
  pool.on("error", () => {});
  pool.on("connect", (client) => countStatements(client, counted));
  const openBy: Record<WayName, () => Deliver> = {
    now: () => deliverNow(pool),
    awaited: () => deliverAwaited(pool),
    before: () => whole(deliverBefore(pool)),
    each: () =>
      whole(async (events) => {
        for (const event of events) await insertBare(pool, [event]);
      }),
    bare: () => whole((events) => insertBare(pool, events)),
  };
  return {
    name,
    ...openBy[name](),
    get statements() {
      return counted.statements;
    },
    close: () => pool.end(),
  };
}

function countStatements(client: PoolClient, counted: { statements: number }): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const counting = (...args: unknown[]) => {
    counted.statements += 1;
    return query(...args);
  };
  client.query = counting as typeof client.query;
}

function facts() {
  return {
    id: randomDeliveryId(),
    runtime: "edge",
    region: null,
    coldStart: false,
    receivedAtMs: Date.now(),
    bodyBytes: 600,
    secretIndex: 0,
    probe: false,
    deployment: null,
    ackMs: 2.5,
    publishStartedAtMs: Date.now(),
  } as const;
}

type Deliver = Pick<StoreWay, "deliver" | "settled">;

/** Nothing is left when a delivery ends. */
function whole(deliver: StoreWay["deliver"]): Deliver {
  return { deliver, settled: () => Promise.resolve() };
}

/** With the consumer's own limit for deliveries whose events are being handled. */
function deliverNow(pool: Pool): Deliver {
  const db = drizzle(pool);
  const settle = createSettlementQueue(db, systemClock);
  const { runs } = createProcessWork().work;
  const open = new Set<Promise<void>>();
  return {
    async deliver(events) {
      const leave = await runs.enter(placeWaitMs);
      if (leave === null) throw new Error("Settling has fallen behind");
      const leased = await storeNow(db, events);
      const settling = noteHandled(settle, leased).finally(leave);
      open.add(settling);
      // One that fails stays, for `settled`.
      settling.then(
        () => open.delete(settling),
        () => {},
      );
    },
    async settled() {
      await Promise.all(open);
    },
  };
}

function deliverAwaited(pool: Pool): Deliver {
  const db = drizzle(pool);
  return whole(async (events) => noteHandled((settlement) => settleEvents(db, settlement), await storeNow(db, events)));
}

async function storeNow(db: NodePgDatabase & { $client: Pool }, carried: readonly InstagramEvent[]) {
  const { leased } = await storeBatch(db, {
    delivery: facts(),
    via: "queue",
    batch: [0, 1],
    events: carried.map((event) => ({ ...event, ...findEventDrift(event) })),
    delivered: { atMs: systemClock.nowMs(), monotonicMs: systemClock.monotonicMs() },
    leaseMs,
    messageId: `msg_${randomDeliveryId()}`,
    retried: 0,
  });
  return leased;
}

async function noteHandled(settle: Settle, leased: Awaited<ReturnType<typeof storeNow>>): Promise<void> {
  const atMs = systemClock.nowMs();
  const results = leased.map((event) => ({ event, atMs, ms: 0, outcome: "handled" as const }));
  const counts = new Map([["message", leased.length]]);
  await settle({ results, counts, deployment: null, messageId: null });
}

function deliverBefore(pool: Pool): StoreWay["deliver"] {
  const options = { db: drizzle(pool), clock: systemClock, handlerTimeoutMs: 10_000 };
  return async (events) => {
    const result = await ingestBefore(
      { delivery: { ...facts(), batch: [0, 1] }, events },
      { ...options, handler: (_event, { count }) => count("message") },
    );
    if (result.handled !== events.length) throw new Error(`Of ${events.length} events ${result.handled} were handled`);
  };
}

const bareColumns = 14;

async function insertBare(pool: Pool, events: readonly InstagramEvent[]): Promise<void> {
  const rows = events.map((_, index) => {
    const places = Array.from({ length: bareColumns }, (__, at) => `$${index * bareColumns + at + 1}`);
    return `(${places.join(",")})`;
  });
  const at = new Date();
  const deliveryId = randomDeliveryId();
  await pool.query({
    name: `bare_${events.length}`,
    text: `insert into bare (ingested_at, occurred_at, sent_at, delivery_id, batch_index, standby, test, drifted, kind,
      account_id, sender_id, recipient_id, key, data) values ${rows.join(",")}`,
    values: events.flatMap(({ kind, accountId, senderId, recipientId, key, data }) => {
      const who = [kind, accountId, senderId, recipientId];
      return [at, at, at, deliveryId, 0, false, false, false, ...who, key, JSON.stringify(data)];
    }),
  });
}

async function createBare(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await createBareTable(client);
  } finally {
    await client.end();
  }
}
