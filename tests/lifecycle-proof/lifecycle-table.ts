import { type Cell, drawTable } from "#cli/table.ts";
import type { Paint } from "#cli/terminal.ts";

import { type Model, models } from "./lab.ts";
import type { Row } from "./measure-lanes.ts";
import type { When } from "./measure-row.ts";
import { type Strategy, strategies } from "./strategies.ts";

/** The text before the table in docs/LIFECYCLE.md. */
export const tableStart = "<!-- npm run lifecycle -- --write -->\n\n```text\n";
/** The text after it. */
export const tableEnd = "\n```\n\n<!-- end of the table -->";

/** How long the QStash model takes to accept a message, and the heading of that column. */
export const qstashTimes = [
  { qstashMs: 5, name: "5 ms" },
  { qstashMs: 300, name: "300 ms" },
  { qstashMs: 3_000, name: "3 s" },
] as const;

const words: Record<When, string> = {
  "before the ack": "before",
  "after the ack": "after",
  "after a later request": "later",
  never: "never",
  "not available": "–",
};

const hosts: Record<Model["host"], string> = {
  running: "keeps running",
  frozen: "frozen at rest",
  ended: "ended at rest",
  deadline: "has a deadline",
};

const legend = `arrives  before or after the ack · later: only when a later request wakes the function · never · –: not available there
ack      p50 / p95 in ms, measured by the sender · none: the function was ended before the ack`;

/** The table: for each strategy on each model when its event arrives and how long its ack takes. */
export function drawRows(rows: readonly Row[], paint: Paint): string {
  const head = [
    "runtime",
    "host",
    "strategy",
    ...qstashTimes.map(({ name }, index) => (index === 0 ? `arrives: ${name}` : name)),
    ...qstashTimes.map(({ name }, index) => (index === 0 ? `ack: ${name}` : name)),
  ];
  const lines = models.flatMap(({ runtime, host }, group): Cell[][] => {
    const ofModel = rows.filter((row) => row.runtime === runtime && row.host === host);
    const ofStrategies = strategies.map((strategy, index) => {
      const found = qstashTimes.map(({ qstashMs }) =>
        ofModel.find((row) => row.strategy === strategy && row.qstashMs === qstashMs),
      );
      return [
        index === 0 ? runtime : "",
        index === 0 ? hosts[host] : "",
        strategy,
        ...found.map((row) => row && showArrival(row)),
        ...found.map((row) => row && showAck(row)),
      ];
    });
    return group === 0 ? ofStrategies : [head.map(() => ""), ...ofStrategies];
  });
  return `${drawTable(head, lines, paint)}\n${paint("dim", legend)}`;
}

/** The arrival columns of one model, read from a drawn table. */
export function readArrivals(text: string, model: Model): { strategy: Strategy; qstashMs: number; arrival: string }[] {
  let isOfModel = false;
  return text.split("\n").flatMap((line) => {
    const [runtime, host, strategy, ...cells] = line
      .replace(/^│/, "")
      .split("│")
      .map((cell) => cell.trim());
    // Only the first line of a model contains its name.
    if (host) isOfModel = runtime === model.runtime && host === hosts[model.host];
    const found = strategies.find((each) => each === strategy);
    if (!isOfModel || found === undefined) return [];
    return qstashTimes.map(({ qstashMs }, index) => ({ strategy: found, qstashMs, arrival: cells[index] ?? "" }));
  });
}

/** A row's arrival as the table shows it. */
export function showArrival({ when, whens }: Row): string {
  if (when !== "mixed") return words[when];
  return Object.entries(whens ?? {})
    .map(([each, count]) => `${words[each as When]} ${count}`)
    .join(", ");
}

function showAck({ when, ackP50, ackP95 }: Row): string {
  if (when === "not available") return "–";
  return ackP50 === null || ackP95 === null ? "none" : `${ackP50.toFixed(0)} / ${ackP95.toFixed(0)}`;
}
