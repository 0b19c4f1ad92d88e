/**
 * `npm run bench`: what a delivery costs, in the code by itself and on the built server. Nothing fails for being slow,
 * unless `--check` asks for it: then on the limits printed with the tables.
 */
import { parseArgs } from "node:util";

import { drawTable } from "#cli/table.ts";
import { createPaint } from "#cli/terminal.ts";

import { exitOnSignals } from "../support/at-exit.ts";
import type { BenchOptions, BenchResult } from "./bench-section.ts";
import { benchBytes } from "./bytes-bench.ts";
import { benchCode } from "./code-bench.ts";
import { benchCost } from "./cost-bench.ts";
import { benchFigures } from "./figures-bench.ts";
import { benchLatency } from "./latency-bench.ts";
import { benchLists } from "./lists-bench.ts";
import { benchMemory } from "./memory-bench.ts";
import { benchQueues } from "./queues-bench.ts";
import { benchStore } from "./store-bench.ts";
import { benchViewers } from "./viewers-bench.ts";
import { benchWay } from "./way-bench.ts";

const sections: Record<string, (options: BenchOptions) => Promise<BenchResult>> = {
  code: benchCode,
  bytes: benchBytes,
  latency: benchLatency,
  cost: benchCost,
  store: benchStore,
  viewers: benchViewers,
  lists: benchLists,
  figures: benchFigures,
  way: benchWay,
  queues: benchQueues,
  memory: benchMemory,
};

const usage = `Usage: npm run bench [-- --only <section>] [--json] [--check] [--rounds <n>] [--rows <n>] [--before <ref>] [--quick]

  --only <section>  one of them, or several with commas between:
                      code     the edge route's code in the edge VM, against a floor
                      bytes    the edge function's weight
                      latency  the built server's answers, whatever QStash does, and beside other routes (6 min)
                      cost     CPU time and requests of a delivery, beside the SDK's in each runtime (3 min)
                      memory   of the built server after an outage of QStash (4 min)
                      store    deliveries a second into the store, beside the previous release's (8 min)
                      lists    lists and searches of a large store, beside a small one (2 min)
                      figures  the comparison of a month, and scrapes of a large relay's metrics (2 min)
                      viewers  ingestion while people look at the heaviest page (4 min)
                      queues   the embedded QStash beside the queue in Postgres, with ACK_MODE=durable (2 min)
                      way      a delivery's whole way through server, broker and Postgres (3 min)
  --before <ref>    way: beside the release of this git ref, built in a folder of its own
  --rows <n>        store, viewers, lists: rows in the store
  --json            the figures as JSON
  --check           exit status 1 if a figure is over its limit
  --rounds <n>      rounds of every section that has them (code and figures 40, cost 6, others 5)
  --quick           only to see that all of it works: the figures say little`;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      json: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      rounds: { type: "string" },
      rows: { type: "string" },
      before: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return print(usage);
  const chosen = values.only?.split(",") ?? Object.keys(sections);
  const unknown = chosen.find((name) => !Object.hasOwn(sections, name));
  if (unknown !== undefined) return fail(`There is no section "${unknown}".\n\n${usage}`);
  exitOnSignals();

  const options: BenchOptions = {
    rounds: values.rounds === undefined ? null : Math.max(1, Number(values.rounds) || 1),
    rows: values.rows === undefined ? null : Math.max(1, Number(values.rows) || 1),
    before: values.before ?? null,
    isQuick: values.quick,
    note: (text) => process.stderr.write(`${text}\n`),
  };
  const results: Record<string, BenchResult> = {};
  for (const name of chosen) {
    const result = await sections[name]?.(options);
    if (result !== undefined) results[name] = result;
  }
  const figures = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result.figures]));
  print(values.json ? JSON.stringify(figures, null, 2) : draw(Object.values(results)));
  const failures = Object.values(results).flatMap((result) => result.failures);
  if (values.check && failures.length > 0) fail(failures.join("\n"));
}

function draw(results: BenchResult[]): string {
  const paint = createPaint(process.env, process.stdout);
  const tables = results.flatMap((result) => result.tables);
  return tables.map(({ title, head, rows }) => `${title}\n${drawTable(head, rows, paint)}`).join("\n\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
