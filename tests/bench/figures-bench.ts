/**
 * What people and machines read of the figures, on the built server: the comparison of 30 days after many deliveries, beside
 * that after few, and a scrape of many series.
 */
import { get } from "node:http";

import { settleWithin, systemClock } from "#platform/clock.ts";
import { openDatabase } from "#store/connection/database.ts";
import { migrateStore } from "#store/migrate.ts";

import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { makeFigures, makeTotals } from "./figure-rows.ts";
import { median } from "./measure.ts";
import { type Rig, withRig } from "./rig.ts";
import type { BenchServer } from "./server-process.ts";
import { show } from "./show.ts";
import { type BenchPostgres, openBenchPostgres } from "./store-databases.ts";

/** The first readings are not counted, while the server's code becomes quick. */
const usual = { rounds: 40, before: 5, few: 10_000, many: 5_000_000, series: 1_000 };
const quick = { rounds: 2, before: 1, few: 300, many: 3_000, series: 20 };
const ratioMax = 1.2;
const comparisonMsMax = 100;
const scrapeMsMax = 50;
/** Longer than a scrape is kept for others at the same time. */
const scrapeEveryMs = 5_100;
const scrapesMax = 5;

const opsToken = "ops-token-of-thirty-two-characters";
const comparison = "/api/ops/runtimes?window=30d";

interface Reading {
  ms: number;
  /** Of the server's process. */
  cpuMs: number;
  bytes: number;
}

export async function benchFigures({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const sizes = isQuick ? quick : usual;
  const rounds = asked ?? sizes.rounds;
  const postgres = await openBenchPostgres();
  try {
    note("Making figures …");
    const urls = {
      few: await fill(postgres, (db) => makeFigures(db, sizes.few, Date.now())),
      many: await fill(postgres, (db) => makeFigures(db, sizes.many, Date.now())),
      series: await fill(postgres, (db) => makeTotals(db, sizes.series)),
    };
    return await withRig(note, async (rig) => {
      note("Starting servers …");
      const few = await start(rig, urls.few);
      const many = await start(rig, urls.many);
      const readings: Record<"few" | "many", Reading[]> = { few: [], many: [] };
      for (let round = -sizes.before; round < rounds; round += 1) {
        if (round === 0) note("Reading the comparison …");
        const turns = { few, many };
        for (const name of round % 2 === 0 ? (["few", "many"] as const) : (["many", "few"] as const)) {
          const reading = await read(turns[name], comparison);
          if (round >= 0) readings[name].push(reading);
        }
      }
      note("Scraping …");
      const scraped = await start(rig, urls.series);
      const scrapes = await scrape(scraped, { before: sizes.before, count: Math.min(rounds, scrapesMax) });
      return report({ ...readings, scrapes }, { ...sizes, rounds });
    });
  } finally {
    await postgres.remove();
  }
}

async function fill(
  postgres: BenchPostgres,
  make: (db: ReturnType<typeof openDatabase>["db"]) => Promise<void>,
): Promise<string> {
  const url = await postgres.create("figures");
  await migrateStore(url);
  const { db, close } = openDatabase(url);
  await make(db);
  await db.$client.query("vacuum analyze");
  await close();
  return url;
}

async function start({ startRelay }: Rig, databaseUrl: string): Promise<BenchServer> {
  return startRelay({ env: { OPS_TOKEN: opsToken, DATABASE_URL: databaseUrl } });
}

/** Each scrape finds that the reading of the one before is too old to be shared. */
async function scrape(server: BenchServer, { before, count }: { before: number; count: number }): Promise<Reading[]> {
  const scrapes: Reading[] = [];
  for (let round = -before; round < count; round += 1) {
    const reading = await read(server, "/api/metrics");
    if (round >= 0) scrapes.push(reading);
    await settleWithin(systemClock, scrapeEveryMs, new Promise(() => {}));
  }
  return scrapes;
}

/** Until the last byte, which is not decompressed: that is the reader's own work. */
async function read(server: BenchServer, path: string): Promise<Reading> {
  const { cpuMs } = await server.readUsage();
  const startedMs = performance.now();
  const bytes = await new Promise<number>((resolve, reject) => {
    const headers = { authorization: `Bearer ${opsToken}`, "accept-encoding": "gzip" };
    get(`${server.baseUrl}${path}`, { headers }, (response) => {
      let sum = 0;
      response.on("data", (part: Buffer) => (sum += part.length));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(sum);
        else reject(new Error(`${path} answered ${response.statusCode}`));
      });
    }).on("error", reject);
  });
  const ms = performance.now() - startedMs;
  return { ms, cpuMs: (await server.readUsage()).cpuMs - cpuMs, bytes };
}

function report(
  readings: Record<"few" | "many" | "scrapes", Reading[]>,
  { few, many, series, rounds }: { few: number; many: number; series: number; rounds: number },
): BenchResult {
  const medians = (name: keyof typeof readings) => {
    const of = (figure: keyof Reading) => median(readings[name].map((reading) => reading[figure]));
    return { ms: of("ms"), cpuMs: of("cpuMs"), bytes: of("bytes") };
  };
  const results = { few: medians("few"), many: medians("many"), scrapes: medians("scrapes") };
  const ratio = results.many.ms / results.few.ms;
  const row = (name: string, { ms, cpuMs, bytes }: Reading, limitMs: number, times: number | null) => [
    name,
    show(ms),
    show(cpuMs),
    show(bytes / 1_000),
    times === null ? null : `${show(times)} (at most ${ratioMax})`,
    limitMs,
  ];
  return {
    figures: { rounds, few, many, series, results, ratio },
    tables: [
      {
        title: `Figures on the built server: medians of ${rounds} readings, ${readings.scrapes.length} of the metrics`,
        head: ["", "ms", "the server's CPU ms", "kB sent", "times", "at most ms"],
        rows: [
          row(`30 days after ${few} deliveries`, results.few, comparisonMsMax, null),
          row(`30 days after ${many} deliveries`, results.many, comparisonMsMax, ratio),
          row(`a scrape of ${series} histograms`, results.scrapes, scrapeMsMax, null),
        ],
      },
    ],
    failures: [
      ...(ratio > ratioMax ? [`The comparison takes ${show(ratio)} times as long after more deliveries`] : []),
      ...(results.many.ms > comparisonMsMax ? [`The comparison takes ${show(results.many.ms)} ms`] : []),
      ...(results.scrapes.ms > scrapeMsMax ? [`A scrape takes ${show(results.scrapes.ms)} ms`] : []),
    ],
  };
}
