/**
 * Deliveries a second into the store, beside the previous release's store (before/) and beside the least that stores the
 * events at all. On one Postgres with default settings each has two databases: one that begins empty and one with so many
 * rows. In each round every way runs for a slice of time, in turns, in every other round the other way about. A slice ends
 * when all of its deliveries are noted as handled.
 */
import type { Client } from "pg";

import { systemClock } from "#platform/clock.ts";

import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { postAll } from "./delivery-sender.ts";
import { median } from "./measure.ts";
import {
  type DatabaseName,
  databaseNames,
  makers,
  openStoreWay,
  type StoreWay,
  waysByDatabase,
} from "./store-contestants.ts";
import { type BenchPostgres, openBenchPostgres, readTablesBytes, readWalBytes } from "./store-databases.ts";
import { reportStore, type Slice, type SliceKey, type StoreTimes } from "./store-report.ts";
import { randomEvent } from "./store-rows.ts";

const roundsUsual = 5;
const rowsUsual = 1_000_000;
const usual = { sliceMs: 1_000, ingested: 3_000 };
const quick = { rows: 2_000, sliceMs: 100, ingested: 100 };

export const shapes = [
  { events: 1, atOnce: 1 },
  { events: 100, atOnce: 1 },
  { events: 1, atOnce: 10 },
  { events: 100, atOnce: 10 },
] as const;

type Fill = "empty" | "full";
type Ways = Record<Fill, StoreWay[]>;

export async function benchStore({
  rounds: asked,
  rows: askedRows,
  isQuick,
  note,
}: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const rows = askedRows ?? (isQuick ? quick.rows : rowsUsual);
  const { sliceMs, ingested } = isQuick ? quick : usual;
  note("Starting Postgres …");
  const postgres = await openBenchPostgres();
  const ways: Ways = { empty: [], full: [] };
  try {
    const admin = await postgres.connect();
    const bytesMade = await openWays(postgres, ways, rows, note);
    await admin.query("checkpoint");
    const times: StoreTimes = { slices: {}, bytesMade, bytesIngested: {} };
    // The first round is thrown away.
    for (let round = 0; round <= rounds; round += 1) {
      note(round === 0 ? "Warming up …" : `Storing, round ${round} of ${rounds} …`);
      for (const { key, way, shape } of inTurns(ways, round)) {
        const slice = await runSlice(way, shape, { admin, sliceMs });
        if (round > 0) (times.slices[key] ??= []).push(slice);
      }
    }
    note("Measuring what ingested deliveries of one event take of the disk …");
    for (const name of ["now", "before"] as const) times.bytesIngested[name] = await ingest(postgres, name, ingested);
    return reportStore(times, { rounds, rows });
  } finally {
    for (const way of [...ways.empty, ...ways.full]) await way.close();
    await postgres.remove();
  }
}

/** Makes the databases, all with rows at the same time. Resolves with the bytes of each row that SQL has made. */
async function openWays(postgres: BenchPostgres, ways: Ways, rows: number, note: (text: string) => void) {
  const bytes: Partial<Record<DatabaseName, number>> = {};
  const made: Partial<Record<DatabaseName, number>> = {};
  const tell = throttle(() =>
    note(
      `Making rows: ${Object.entries(made)
        .map(([name, count]) => `${name} ${count}`)
        .join(", ")} of ${rows} …`,
    ),
  );
  const open = async (name: DatabaseName) => {
    const { migrate, makeRows } = makers[name];
    for (const fill of ["empty", "full"] as const) {
      const url = await postgres.create(`${name}_${fill}`);
      await migrate(url);
      ways[fill].push(...waysByDatabase[name].map((way) => openStoreWay(way, url)));
      if (fill === "empty") continue;
      const client = await postgres.connect(url);
      const bytesBefore = await readTablesBytes(client);
      await makeRows(client, rows, (count) => {
        made[name] = count;
        tell();
      });
      bytes[name] = ((await readTablesBytes(client)) - bytesBefore) / rows;
    }
  };
  await Promise.all(databaseNames.map(open));
  return bytes;
}

function* inTurns(ways: Ways, round: number) {
  for (const shape of shapes) {
    for (const fill of ["empty", "full"] as const) {
      for (const way of round % 2 === 0 ? ways[fill] : ways[fill].toReversed()) {
        const key: SliceKey = `${way.name} ${fill} ${shape.events}×${shape.atOnce}`;
        yield { key, way, shape };
      }
    }
  }
}

interface SliceOptions {
  admin: Client;
  sliceMs: number;
}

async function runSlice(
  way: StoreWay,
  { events, atOnce }: { events: number; atOnce: number },
  { admin, sliceMs }: SliceOptions,
): Promise<Slice> {
  const walBefore = await readWalBytes(admin);
  const statementsBefore = way.statements;
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const latenciesMs: number[] = [];
  // To make the events is no work of any way.
  let makingUs = 0;
  const deliverUntilOver = async () => {
    while (performance.now() - startedMs < sliceMs) {
      const madeBefore = process.cpuUsage();
      const batch = Array.from({ length: events }, randomEvent);
      const making = process.cpuUsage(madeBefore);
      makingUs += making.user + making.system;
      const beganMs = performance.now();
      await way.deliver(batch);
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, deliverUntilOver));
  await way.settled();
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const deliveries = latenciesMs.length;
  return {
    perSecond: (deliveries * 1_000) / tookMs,
    p50Ms: median(latenciesMs),
    cpuMs: (user + system - makingUs) / 1_000 / deliveries,
    statements: (way.statements - statementsBefore) / deliveries,
    walBytes: ((await readWalBytes(admin)) - walBefore) / deliveries,
  };
}

/** Bytes of the tables for each of so many deliveries of one event, with the row versions that ingestion leaves behind. */
async function ingest(postgres: BenchPostgres, name: "now" | "before", count: number): Promise<number> {
  const url = await postgres.create(`${name}_ingested`);
  await makers[name].migrate(url);
  const client = await postgres.connect(url);
  const bytesBefore = await readTablesBytes(client);
  const way = openStoreWay(name, url);
  try {
    await postAll(count, 10, () => way.deliver([randomEvent()]));
    await way.settled();
    return ((await readTablesBytes(client)) - bytesBefore) / count;
  } finally {
    await way.close();
  }
}

function throttle(work: () => void): () => void {
  const everyMs = 5_000;
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - lastMs < everyMs) return;
    lastMs = nowMs;
    work();
  };
}
