/**
 * `npm run lifecycle`: measures on models of hosting platforms which work survives the response. docs/LIFECYCLE.md
 * describes the models and contains the table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { createPaint, type Paint } from "#cli/terminal.ts";

import { exitOnSignals } from "../support/at-exit.ts";
import { models, openLab } from "./lab.ts";
import { drawRows, qstashTimes, tableEnd, tableStart } from "./lifecycle-table.ts";
import { type Case, measureLanes, type Row } from "./measure-lanes.ts";
import { strategies } from "./strategies.ts";

const usage = `Usage: npm run lifecycle [-- --json] [--write] [--deliveries <n>]

  --json             print the rows as JSON
  --write            write the table into docs/LIFECYCLE.md
  --deliveries <n>   deliveries for each row (default 10); half as many where QStash takes 3 s`;

const document = fileURLToPath(new URL("../../docs/LIFECYCLE.md", import.meta.url));
const nextPackage = fileURLToPath(new URL("../../node_modules/next/package.json", import.meta.url));

/** To open a connection to QStash in another region: name, TCP and TLS. */
const connectMs = 100;

/** For each time that QStash takes. The longer it is, the less work the machine has, and the more can run at once. */
const pace = {
  5: { share: 1, lanesAtOnce: 1 },
  300: { share: 1, lanesAtOnce: 4 },
  3_000: { share: 1 / 2, lanesAtOnce: 12 },
};

/** Runs the command. Rejects if a model does not behave as a host does. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      deliveries: { type: "string", default: "10" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return print(usage);
  const note = (text: string) => process.stderr.write(`${text}\n`);
  exitOnSignals();

  const rows = await measure(Math.max(1, Number(values.deliveries) || 10), note);
  if (values.write) write(describe(rows, (_, text) => text));
  if (values.json) return print(JSON.stringify({ rows }, null, 2));
  print(describe(rows, createPaint(process.env, process.stdout)));
  if (process.platform === "win32")
    print("\nWindows cannot stop a process, so the frozen Node functions are left out.");
}

async function measure(deliveries: number, note: (text: string) => void): Promise<Row[]> {
  const lab = await openLab({ connectMs, note });
  const rows: Row[] = [];
  try {
    for (const { qstashMs, name } of qstashTimes) {
      const lanes = models.flatMap((model) => strategies.map((strategy): Case[] => [{ ...model, strategy, qstashMs }]));
      const { share, lanesAtOnce } = pace[qstashMs];
      const ofEach = Math.ceil(deliveries * share);
      const onRow = count(`QStash at ${name}, ${ofEach} deliveries a row`, lanes.length);
      rows.push(...(await measureLanes(lab, lanes, { deliveries: ofEach, lanesAtOnce, onRow })));
    }
  } finally {
    await lab.close();
  }
  return rows;
}

/** Shows progress: a counter on a terminal, otherwise one line at the start. */
function count(title: string, rowsInAll: number): () => void {
  let done = 0;
  const { stderr } = process;
  if (!stderr.isTTY) stderr.write(`${title} …\n`);
  return () => {
    done += 1;
    if (stderr.isTTY) stderr.write(`\r${title}: ${done} of ${rowsInAll}${done === rowsInAll ? "\n" : ""}`);
  };
}

function describe(rows: readonly Row[], paint: Paint): string {
  const deliveries = qstashTimes.map(({ qstashMs }) => rows.find((row) => row.qstashMs === qstashMs)?.deliveries);
  const { version } = JSON.parse(readFileSync(nextPackage, "utf8")) as { version: string };
  const { platform, versions } = process;
  const facts = `${deliveries.join(", ")} deliveries a row · Next ${version}, Node ${versions.node}, ${platform}`;
  return `${drawRows(rows, paint)}\n${paint("dim", facts)}`;
}

function write(table: string): void {
  const text = readFileSync(document, "utf8");
  const [start, end] = [text.indexOf(tableStart), text.indexOf(tableEnd)];
  if (start < 0 || end < start) throw new Error("docs/LIFECYCLE.md lacks the comments around the table");
  writeFileSync(document, text.slice(0, start) + tableStart + table + text.slice(end));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
