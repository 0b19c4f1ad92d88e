/**
 * What people and machines read of the figures, on the built server: the comparison of 30 days after many deliveries, beside
 * that after few, and a scrape of as many histograms as a large relay has, beside scrapes of more.
 */
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { comparisonPath, fillDatabase, mediansOf, type Reading, read, startReadable } from "./figure-readings.ts";
import { makeFigures } from "./figure-rows.ts";
import { withRig } from "./rig.ts";
import { fillRelays, type ScrapedRelay, scrapeRelays } from "./scraped-relays.ts";
import { show } from "./show.ts";
import { openBenchPostgres } from "./store-databases.ts";

/** The first readings are not counted, while the server's code becomes quick. */
const usual = { rounds: 40, before: 5, scrapesBefore: 8, few: 10_000, many: 5_000_000, times: 5_000 };
const quick = { rounds: 2, before: 1, scrapesBefore: 1, few: 300, many: 3_000, times: 50 };
const ratioMax = 1.2;
const comparisonMsMax = 100;
const scrapeMsMax = 50;
const scrapesMax = 5;

export async function benchFigures({ rounds: asked, isQuick, note }: BenchOptions): Promise<BenchResult> {
  const sizes = isQuick ? quick : usual;
  const rounds = asked ?? sizes.rounds;
  const postgres = await openBenchPostgres();
  try {
    note("Making figures …");
    const urls = {
      few: await fillDatabase(postgres, (db) => makeFigures(db, sizes.few, Date.now())),
      many: await fillDatabase(postgres, (db) => makeFigures(db, sizes.many, Date.now())),
    };
    note("Making histograms …");
    const relays = await fillRelays(postgres, sizes.times);
    return await withRig(note, async (rig) => {
      note("Starting servers …");
      const few = await startReadable(rig, urls.few);
      const many = await startReadable(rig, urls.many);
      const readings: Record<"few" | "many", Reading[]> = { few: [], many: [] };
      for (let round = -sizes.before; round < rounds; round += 1) {
        if (round === 0) note("Reading the comparison …");
        const turns = { few, many };
        for (const name of round % 2 === 0 ? (["few", "many"] as const) : (["many", "few"] as const)) {
          const reading = await read(turns[name], comparisonPath);
          if (round >= 0) readings[name].push(reading);
        }
      }
      for (const server of [few, many]) await server.stop();
      note("Scraping …");
      await scrapeRelays(rig, relays, { before: sizes.scrapesBefore, count: Math.min(rounds, scrapesMax) });
      return report(readings, relays, { ...sizes, rounds });
    });
  } finally {
    await postgres.remove();
  }
}

function report(
  readings: Record<"few" | "many", Reading[]>,
  scraped: readonly ScrapedRelay[],
  { few, many, rounds }: { few: number; many: number; rounds: number },
): BenchResult {
  const comparisons = { few: mediansOf(readings.few), many: mediansOf(readings.many) };
  const ratio = comparisons.many.ms / comparisons.few.ms;
  const scrapes = scraped.map(({ name, isJudged, series, readings: all }) => {
    return { name, isJudged, histograms: series.length, ...mediansOf(all) };
  });
  const row = (name: string, { ms, cpuMs, bytes }: Reading, limitMs: number | null, times: number | null) => [
    name,
    show(ms),
    show(cpuMs),
    show(bytes / 1_000),
    times === null ? null : `${show(times)} (at most ${ratioMax})`,
    limitMs,
  ];
  return {
    figures: { rounds, few, many, comparisons, ratio, scrapes },
    tables: [
      {
        title: `Figures on the built server: medians of ${rounds} readings, ${scraped[0]?.readings.length} of the metrics`,
        head: ["", "ms", "the server's CPU ms", "kB sent", "times", "at most ms"],
        rows: [
          row(`30 days after ${few} deliveries`, comparisons.few, comparisonMsMax, null),
          row(`30 days after ${many} deliveries`, comparisons.many, comparisonMsMax, ratio),
          ...scrapes.map(({ name, isJudged, histograms, ...reading }) =>
            row(`a scrape of ${name}: ${histograms} histograms`, reading, isJudged ? scrapeMsMax : null, null),
          ),
        ],
      },
    ],
    failures: [
      ...(ratio > ratioMax ? [`The comparison takes ${show(ratio)} times as long after more deliveries`] : []),
      ...(comparisons.many.ms > comparisonMsMax ? [`The comparison takes ${show(comparisons.many.ms)} ms`] : []),
      ...scrapes.flatMap(({ name, isJudged, ms }) =>
        isJudged && ms > scrapeMsMax ? [`A scrape of ${name} takes ${show(ms)} ms`] : [],
      ),
    ],
  };
}
