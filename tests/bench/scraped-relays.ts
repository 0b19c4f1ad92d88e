/**
 * Relays whose metrics are scraped. A histogram is of a time by runtime, region, and cold or warm, that of handlers also by
 * the kind of event; deployments have none of their own. So their number follows from the regions in which the webhook has
 * run since the relay began.
 */
import type { Series } from "#measurements/figures.ts";

import { comparisonPath, fillDatabase, type Reading, read, startReadable, withDatabase } from "./figure-readings.ts";
import { addToTotals, histogramSeries } from "./figure-rows.ts";
import type { Rig } from "./rig.ts";
import type { BenchServer } from "./server-process.ts";
import type { BenchPostgres } from "./store-databases.ts";

/**
 * By the regions of each, and its histograms if they are fewer than so many regions can make. A large relay handles every kind
 * of event, on the edge and on Node. Vercel runs functions in 20 regions (vercel.com/docs/regions, March 2026), and
 * the edge in the one nearest to its caller: no relay can have more.
 */
const sizes = [
  { name: "a large relay, 3 regions", regions: 3, isJudged: true },
  { name: "11 regions", regions: 11, histograms: 1_000, isJudged: false },
  { name: "all 20 regions of Vercel", regions: 20, isJudged: false },
];
/** Longer than a scrape is kept for others at the same time. */
const scrapeEveryMs = 5_100;

/** A relay whose metrics are scraped, and how that went. */
export interface ScrapedRelay {
  name: string;
  isJudged: boolean;
  url: string;
  series: readonly Series[];
  readings: Reading[];
}

/** Makes their databases, in which each histogram has so many times. */
export async function fillRelays(postgres: BenchPostgres, times: number): Promise<ScrapedRelay[]> {
  const relays: ScrapedRelay[] = [];
  for (const { name, regions, histograms, isJudged } of sizes) {
    const series = histogramSeries(regions).slice(0, histograms);
    const url = await fillDatabase(postgres, (db) => addToTotals(db, series, times));
    relays.push({ name, isJudged, url, series, readings: [] });
  }
  return relays;
}

/**
 * Scrapes them in turns, so many times after those before that are not counted. Between two scrapes every histogram gets
 * another time, since what did not change is quicker, and the servers are kept at work, as deliveries keep a large relay:
 * a virtual machine that was idle for seconds takes several times as long for the first hundred milliseconds. Each scrape
 * finds that the reading before is too old to be shared.
 */
export async function scrapeRelays(
  rig: Rig,
  relays: readonly ScrapedRelay[],
  { before, count }: { before: number; count: number },
): Promise<void> {
  const started: { relay: ScrapedRelay; server: BenchServer }[] = [];
  for (const relay of relays) started.push({ relay, server: await startReadable(rig, relay.url) });
  for (let round = -before; round < count; round += 1) {
    for (const { url, series } of relays) await withDatabase(url, (db) => addToTotals(db, series, 1));
    for (const { relay, server } of round % 2 === 0 ? started : started.toReversed()) {
      const reading = await read(server, "/api/metrics");
      if (round >= 0) relay.readings.push(reading);
    }
    const nextAtMs = performance.now() + scrapeEveryMs;
    while (performance.now() < nextAtMs) for (const { server } of started) await read(server, comparisonPath);
  }
}
