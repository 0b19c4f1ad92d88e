import { sql } from "drizzle-orm";
import { expect, onTestFinished, test } from "vitest";

import { answerMetrics } from "#dashboard/metrics/answer-metrics.ts";
import { createMetricsParts } from "#dashboard/metrics/metrics-parts.ts";
import { createMetricsReader } from "#dashboard/metrics/read-metrics.ts";
import { type Database, openReads } from "#store/connection/database.ts";
import { eventWork } from "#store/schema/event-schema.ts";

import { countQueries } from "../support/count-queries.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createTestAccess } from "../support/ops-access.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";
import { increaseOf, parseSamples } from "./parse-samples.ts";
import { hasPromtool, runPromtool } from "./promtool.ts";
import { count, measure, measureEverything, rollUpAll } from "./totals.ts";

const startMs = Date.parse("2026-01-31T12:00:00Z");

/** A process that is scraped, with a clock that stands still. */
function createProcess(url: string) {
  const reads = openReads(url);
  onTestFinished(() => reads.close());
  return { ...createReader(() => reads.db), pool: reads.pool };
}

function createReader(openDatabase: () => Database) {
  const clock = createManualClock(startMs);
  const { log, ...recording } = createRecordingLog();
  const readParts = createMetricsReader(createMetricsParts(openDatabase, log), { clock, log });
  return { clock, recording, readParts, read: async () => Buffer.concat(await readParts()).toString() };
}

test("every metric has its samples, of which those of open work and operations are of now", async () => {
  const { db, url } = await openTestStore();
  await measureEverything(db);
  await db.execute(sql`
    insert into relay.dead_letter_groups (fingerprint, cause, first_at, state, ignored_until) values
      ('a', 'handler', now(), 'open', null), ('b', 'handler', now(), 'ignored', now() - interval '1 second'),
      ('c', 'handler', now(), 'resolved', null)`);
  await db.execute(sql`insert into relay.dead_letters (source, source_id, group_id, resolved_at) values
    ('handler', '1', 1, null), ('handler', '2', 1, now())`);
  const text = await createProcess(url).read();
  const samples = parseSamples(text);
  const valueOf = (series: string) => samples.get(series)?.value;
  expect(valueOf('relay_deliveries_total{runtime="edge",outcome="published"}')).toBe(10);
  expect(valueOf('relay_events_total{kind="message",result="duplicate"}')).toBe(2);
  expect(valueOf('relay_duplicates_total{cause="delivery"}')).toBe(2);
  expect(valueOf('relay_duplicates_total{cause="qstash"}')).toBe(0);
  expect(valueOf('relay_refused_total{runtime="edge",reason="SIGNATURE_INVALID"}')).toBe(3);
  expect(
    valueOf('relay_handler_failures_total{runtime="edge",kind="message",error="Odd\\"Error\\\\"}'),
  ).toBeUndefined();
  expect(valueOf('relay_handler_failures_total{kind="message",error="Odd\\"Error\\\\"}')).toBe(1);
  expect(valueOf('relay_ack_duration_seconds_bucket{runtime="edge",region="fra1",cold="warm",le="0.25"}')).toBe(3);
  expect(valueOf('relay_ack_duration_seconds_count{runtime="edge",region="fra1",cold="warm"}')).toBe(4);
  expect(valueOf('relay_dead_letter_groups{state="open"}')).toBe(2);
  expect(valueOf("relay_dead_letters_open")).toBe(1);
  expect(valueOf("relay_paused")).toBe(1);
  expect(valueOf("relay_maintenance_age_seconds")).toBeCloseTo(60, -1);
  expect(valueOf('relay_deployment_info{sha="dpl_1"}')).toBe(1);
  expect(valueOf('relay_deployment_first_seen_timestamp_seconds{sha="dpl_1"}')).toBeCloseTo(Date.now() / 1_000, -3);
  expect(valueOf('relay_scrape_age_seconds{part="figures"}')).toBe(0);
});

test("what is open is counted by state, and the age is that of the oldest that is not dead", async () => {
  const { db, url } = await openTestStore();
  const work = {
    deliveryId: "00000000-0000-7000-8000-000000000000",
    batchIndex: 0,
    nextAttemptAt: new Date(),
    kind: "message",
  };
  await db.insert(eventWork).values([
    { ...work, eventId: 1, state: "dead" },
    { ...work, eventId: 2 },
    { ...work, eventId: 3, firstFailedAt: new Date() },
  ]);
  await db.execute(sql`
    insert into relay.events (id, ingested_at, delivery_id, batch_index, standby, test, drifted, kind, account_id, key, data)
    select id, now() - id * interval '1 minute', ${work.deliveryId}, 0, false, false, false, 'message', '1', id::text, '{}'
    from generate_series(1, 3) id`);
  const samples = parseSamples(await createProcess(url).read());
  const states = ["open", "retrying", "dead"].map(
    (state) => samples.get(`relay_events_unhandled{state="${state}"}`)?.value,
  );
  expect(states).toEqual([1, 1, 1]);
  expect(samples.get("relay_oldest_unhandled_seconds")?.value).toBeCloseTo(120, -1);
});

test.skipIf(!hasPromtool)("promtool has no complaint, before the first measurement and with all of them", async () => {
  const { db, url } = await openTestStore();
  expect(runPromtool(["check", "metrics"], await createProcess(url).read())).toBe("");
  await measureEverything(db);
  expect(runPromtool(["check", "metrics"], await createProcess(url).read())).toBe("");
});

test("scrapes at once and within five seconds share one reading of three statements, each limited to a second", async () => {
  const { url } = await openTestStore();
  const { read, clock, pool } = createProcess(url);
  const sent = countQueries(pool);
  const countReads = () => sent.filter((text) => text.includes("relay.")).length;
  await Promise.all([read(), read(), read()]);
  await clock.advance(4_999);
  expect(parseSamples(await read()).get('relay_scrape_age_seconds{part="open"}')?.value).toBe(4.999);
  expect(countReads()).toBe(3);
  const begins = sent.filter((text) => text.startsWith("begin"));
  expect(begins.every((text) => text.startsWith("begin read only; set local statement_timeout = 1000;"))).toBe(true);
  await clock.advance(1);
  await read();
  expect(countReads()).toBe(6);
});

const published = 'relay_deliveries_total{runtime="edge",outcome="published"}';
const acks = 'relay_ack_duration_seconds_count{runtime="edge"}';

test("two processes that are scraped in turns show the increase that there was", async () => {
  const { db, url } = await openTestStore();
  const processes = [createProcess(url), createProcess(url)];
  const scrapes: { atMs: number; text: string }[] = [];
  for (let round = 0; round < 8; round += 1) {
    // What one process measured, the other one shows.
    await count(db, "outcome", 10 / 3, { label: "published" });
    await measure(db, "ack", [round, 300]);
    await rollUpAll(db);
    // Twice the one, twice the other: each has values of its own from before.
    const scraped = processes[(round >> 1) % 2];
    if (scraped !== undefined) scrapes.push({ atMs: scraped.clock.nowMs(), text: await scraped.read() });
    for (const { clock } of processes) await clock.advance(15_000);
  }
  expect(increaseOf(scrapes, published)).toBeCloseTo(7 * (10 / 3), 9);
  expect(increaseOf(scrapes, acks)).toBe(14);
});

test("values that a process has kept while it could not read do not let a counter fall that another one shows", async () => {
  const { db, url } = await openTestStore();
  const down = createProcess("postgres://nobody@127.0.0.1:1/none");
  let isDown = false;
  const { db: readable } = openReadsFor(url);
  const failing = createReader(() => {
    if (isDown) throw new Error("unreachable");
    return readable;
  });
  const working = createProcess(url);
  const advance = () => Promise.all([failing.clock.advance(15_000), working.clock.advance(15_000)]);
  const scrape = async ({ clock, read }: typeof failing) => ({ atMs: clock.nowMs(), text: await read() });

  await count(db, "outcome", 1_000, { label: "published" });
  await rollUpAll(db);
  const scrapes = [await scrape(failing)];
  isDown = true;
  for (let round = 0; round < 3; round += 1) {
    await count(db, "outcome", 5, { label: "published" });
    await rollUpAll(db);
    await advance();
    scrapes.push(await scrape(working));
    await advance();
    scrapes.push(await scrape(failing));
  }
  expect(increaseOf(scrapes, published)).toBe(15);
  const kept = parseSamples(scrapes.at(-1)?.text ?? "");
  expect(kept.get(published)).toMatchObject({ value: 1_000, atMs: startMs });
  expect(kept.get('relay_scrape_age_seconds{part="figures"}')).toMatchObject({ value: 90, atMs: null });
  expect(failing.recording.of("metrics.part_failed")[0]).toMatchObject({ level: "warn", part: "figures" });
  await expect(down.read()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("one part that cannot be read leaves the others, and is back with its next reading", async () => {
  const { db, url } = await openTestStore();
  await count(db, "outcome", 1, { label: "published" });
  await rollUpAll(db);
  const { read, clock } = createProcess(url);
  await db.execute(sql`alter table relay.figures rename to figures_away`);
  const without = parseSamples(await read());
  expect(without.has(published)).toBe(false);
  expect(without.get('relay_scrape_age_seconds{part="figures"}')?.value).toBe(Infinity);
  expect(without.get("relay_dead_letters_open")?.value).toBe(0);
  await db.execute(sql`alter table relay.figures_away rename to figures`);
  await clock.advance(5_000);
  expect(parseSamples(await read()).get(published)?.value).toBe(1);
});

test("a damaged total keeps its last values, or is missing; the rest is as it is, and the page says how many are damaged", async () => {
  const { db, url } = await openTestStore();
  const later = { region: "fra1" };
  await measure(db, "ack", [1, 2]);
  await measure(db, "ack", [1], later);
  await rollUpAll(db);
  const [scraped, fresh] = [createProcess(url), createProcess(url)];
  const read = async ({ clock, read: readText }: typeof scraped) => {
    await clock.advance(15_000);
    const samples = parseSamples(await readText());
    const of = (name: string) => samples.get(name)?.value;
    return [
      of("relay_damaged_figures"),
      of(acks),
      of('relay_ack_duration_seconds_count{runtime="edge",region="fra1"}'),
    ];
  };
  expect(await read(scraped)).toEqual([0, 2, 1]);
  await db.execute(sql`update relay.figures set buckets = '\\x01' where tier = 'total' and count = 2`);
  await measure(db, "ack", [3], later);
  await rollUpAll(db);
  expect(await read(scraped)).toEqual([1, 2, 2]);
  expect(await read(fresh)).toEqual([1, undefined, 2]);
  expect(scraped.recording.of("figures.damaged")).toMatchObject([{ level: "error", tier: "total", damaged: 1 }]);
});

test("a scrape is text for a token of any role, and 401 for others; 503 while Postgres was never reached", async () => {
  const tokens = (["metrics", "read", "admin"] as const).map((role) => ({
    name: role,
    role,
    token: `${role}-`.repeat(8),
  }));
  const { db, url } = await openTestStore();
  const access = createTestAccess(() => db, { opsTokens: () => tokens });
  const { readParts } = createProcess(url);
  let afterwards = 0;
  const ask = async (token: string, readMetrics = readParts) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = new Request("http://localhost:3000/api/metrics", { headers });
    return answerMetrics(request, access, {
      readMetrics,
      afterwards: async () => {
        afterwards += 1;
      },
    });
  };
  for (const { token } of tokens) {
    const response = await ask(token);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
  }
  expect((await ask("wrong")).status).toBe(401);
  expect(afterwards).toBe(3);
  const { readParts: never } = createProcess("postgres://nobody@127.0.0.1:1/none");
  const down = await ask(tokens[0]?.token ?? "", never);
  expect([down.status, await down.json()]).toMatchObject([503, { error: { code: "STORE_UNAVAILABLE" } }]);
});

function openReadsFor(url: string) {
  const reads = openReads(url);
  onTestFinished(() => reads.close());
  return reads;
}
