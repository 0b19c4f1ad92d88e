import { sql } from "drizzle-orm";
import { expect, onTestFinished, test } from "vitest";

import { readHealth } from "#dashboard/status/read-health.ts";
import { systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/connection/database.ts";
import { recordPart } from "#store/operators/maintenance-parts.ts";
import { deliveries } from "#store/schema/delivery-schema.ts";
import { maintenanceParts } from "#store/schema/operations-schema.ts";

import { createTestDatabase } from "../../support/postgres.ts";
import { openTestStore } from "../../support/store.ts";
import { deliveryRow, type DeliveryRow, ingested, unreported } from "../rows.ts";

const now = new Date("2026-01-31T12:00:00.000Z");
const clock = { ...systemClock, nowMs: () => now.getTime() };

/** The queue's health after these deliveries, the newest first. */
async function queueAfter(newestFirst: Partial<DeliveryRow>[]) {
  const { db } = await openTestStore();
  for (const [index, row] of newestFirst.entries()) {
    const receivedAt = new Date(now.getTime() - (index + 1) * 1_000);
    await db.insert(deliveries).values(deliveryRow({ id: `d_${index}`, receivedAt, ...row }));
  }
  const health = await readHealth(db, clock, "1.2.3");
  expect(health).toMatchObject({ status: "ok", store: "ok", version: "1.2.3" });
  return health.queue;
}

const good = { outcome: "published" } as const;
const bad = { outcome: "fallback" } as const;
const silent = { ...unreported, ...ingested({ deliveredAt: now }) };
const times = (count: number, row: Partial<DeliveryRow>) => Array.from({ length: count }, () => row);

test.each<[string, string, Partial<DeliveryRow>[]]>([
  ["unknown", "no deliveries", []],
  ["unknown", "only old ones", [{ receivedAt: new Date(now.getTime() - 16 * 60_000) }]],
  ["unknown", "only forwards that did not try", [{ ...bad, attempts: 0 }]],
  ["ok", "one published", [good]],
  ["ok", "one ingested without a report", [silent]],
  ["failing", "three that came by the fallback without a report", times(3, { ...silent, via: "fallback" })],
  ["unknown", "one of which nothing is known", [unreported]],
  ["ok", "half of them published", [bad, good]],
  ["ok", "a failure that is over", [good, bad, good]],
  ["failing", "one, and it failed", [{ outcome: "lost" }]],
  ["failing", "the last three failed", [bad, bad, { outcome: "refused" }, ...times(17, good)]],
  ["failing", "most failed", [good, bad, bad, good, bad]],
  ["ok", "twenty good ones after an outage", [...times(20, good), ...times(30, bad)]],
])("%s after %s", async (queue, _name, rows) => {
  expect(await queueAfter(rows)).toBe(queue);
});

test("a store that refuses is down", async () => {
  const database = openDatabase("postgres://nobody@127.0.0.1:1/none");
  expect(await readHealth(database.db, clock, "1.2.3")).toEqual({
    status: "down",
    store: "down",
    queue: "unknown",
    maintenanceRanAt: null,
    ingestionPausedSince: null,
    version: "1.2.3",
    error: { code: "STORE_UNAVAILABLE", message: "Postgres does not answer, or refuses to store." },
  });
  await database.close();
});

test("a store that hangs is down as soon as the limit is reached", async () => {
  const { db } = await openTestStore();
  const impatient = { ...clock, after: (_delayMs: number, callback: () => void) => systemClock.after(0, callback) };
  const hanging = new Proxy(db, {
    get: (target, name) => (name === "execute" ? () => new Promise(() => {}) : Reflect.get(target, name)),
  });
  expect(await readHealth(hanging, impatient, "1.2.3")).toMatchObject({ store: "down" });
});

test("a store that has become read-only is down until it can be written to again", async () => {
  const { db, url } = await openTestStore();
  const name = sql.identifier(new URL(url).pathname.slice(1));
  const setTo = async (value: "on" | "off") => {
    await db.execute(sql`set default_transaction_read_only = off`);
    await db.execute(sql`alter database ${name} set default_transaction_read_only = ${sql.raw(value)}`);
    // All sessions, as a pooler may hold several: each keeps what the database said when it began.
    const sessions = sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()`;
    await db.execute(sessions).catch(() => {});
  };
  await setTo("on");
  const message = expect.stringMatching(/^Postgres accepts no writes: .* Set DATABASE_URL to the primary/) as unknown;
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ status: "down", store: "down", error: { message } });
  await setTo("off");
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ status: "ok", store: "ok" });
});

test("a store without tables is down", async () => {
  const { url, drop } = await createTestDatabase();
  const database = openDatabase(url);
  onTestFinished(async () => {
    await database.close();
    await drop();
  });
  expect(await readHealth(database.db, clock, "1.2.3")).toMatchObject({ status: "down", store: "down" });
});

test("health says when a part of maintenance last ran", async () => {
  const { db } = await openTestStore();
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ maintenanceRanAt: null });
  const part = { ms: 5, result: "{}" };
  await db.insert(maintenanceParts).values([
    { ...part, name: "sweep", ranAt: now },
    { ...part, name: "partitions", ranAt: new Date(0) },
  ]);
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ maintenanceRanAt: now.toISOString() });
});

test("health says since when ingestion is paused, and pausing is no run of maintenance", async () => {
  const { db } = await openTestStore();
  const since = now.toISOString();
  await recordPart(db, "pause", { paused: true, since });
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ maintenanceRanAt: null, ingestionPausedSince: since });
  await recordPart(db, "pause", { paused: false, since: null });
  expect(await readHealth(db, clock, "1.2.3")).toMatchObject({ ingestionPausedSince: null });
});
