/**
 * What the lists, filters, searches and questions of operators cost in a large store, beside a small one. Through the
 * connections that pages have, one statement at a time.
 */
import { openReads } from "#store/connection/database.ts";
import { migrateStore } from "#store/migrate.ts";

import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { listCases } from "./list-cases.ts";
import { makeListRows } from "./list-rows.ts";
import { median } from "./measure.ts";
import { show } from "./show.ts";
import { type BenchPostgres, openBenchPostgres } from "./store-databases.ts";

const roundsUsual = 7;
const rowsUsual = 1_000_000;
const rowsSmall = 50_000;
const quick = { rows: 4_000, small: 2_000 };

/** A list in the large store takes at most so many times as long. What takes less than `noiseMs` is not compared. */
const ratioMax = 2;
const noiseMs = 10;
/** A search ends within. */
const searchMsMax = 500;

export async function benchLists({
  rounds: asked,
  rows: askedRows,
  isQuick,
  note,
}: BenchOptions): Promise<BenchResult> {
  const rounds = asked ?? (isQuick ? 1 : roundsUsual);
  const large = askedRows ?? (isQuick ? quick.rows : rowsUsual);
  const small = isQuick ? quick.small : rowsSmall;
  const postgres = await openBenchPostgres();
  try {
    const times = {
      small: await measure(postgres, small, rounds, note),
      large: await measure(postgres, large, rounds, note),
    };
    return report(times, { small, large, rounds });
  } finally {
    await postgres.remove();
  }
}

type Times = Record<string, number>;

async function measure(
  postgres: BenchPostgres,
  rows: number,
  rounds: number,
  note: BenchOptions["note"],
): Promise<Times> {
  const url = await postgres.create("lists");
  await migrateStore(url);
  const client = await postgres.connect(url);
  const ids = await makeListRows(client, rows, (made) => {
    if (made % 500_000 === 0) note(`Made ${made} of ${rows} rows …`);
  });
  const reads = openReads(url);
  try {
    const times: Times = {};
    for (const { name, read } of listCases) {
      const taken: number[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const startedMs = performance.now();
        await read(reads.db, ids);
        // The first fills the caches.
        if (round > 0) taken.push(performance.now() - startedMs);
      }
      times[name] = median(taken);
    }
    return times;
  } finally {
    await reads.close();
  }
}

function report(
  times: Record<"small" | "large", Times>,
  { small, large, rounds }: { small: number; large: number; rounds: number },
): BenchResult {
  const results = listCases.map(({ name, isSearch }) => {
    const [smallMs, largeMs] = [times.small[name] ?? Number.NaN, times.large[name] ?? Number.NaN];
    const limitMs = isSearch ? searchMsMax : Math.max(noiseMs, ratioMax * smallMs);
    return { name, isSearch, smallMs, largeMs, limitMs };
  });
  return {
    figures: { rounds, rows: { small, large }, results },
    tables: [
      {
        title: `Lists and questions with ${small} and with ${large} rows: medians of ${rounds} readings`,
        head: ["", `ms at ${small}`, `ms at ${large}`, "times", "at most ms"],
        rows: results.map(({ name, smallMs, largeMs, limitMs }) => [
          name,
          show(smallMs),
          show(largeMs),
          show(largeMs / smallMs),
          show(limitMs),
        ]),
      },
    ],
    failures: results
      .filter(({ largeMs, limitMs }) => largeMs > limitMs)
      .map(({ name, largeMs, limitMs }) => `${name} takes ${show(largeMs)} ms, over ${show(limitMs)}`),
  };
}
