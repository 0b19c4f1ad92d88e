import { type Cell, drawTable } from "#cli/table.ts";
import { alignRows, type Paint, seconds } from "#cli/terminal.ts";

import type { ScenarioResult } from "./run-scenario.ts";
import type { Counts } from "./server-log.ts";

/** The account of deliveries by fault, and below it what each fault did. */
export function describeResults(results: readonly ScenarioResult[], tookMs: number, paint: Paint): string {
  const head = ["fault", "sent", "acked", "refused", "ingested", "duplicates", "lost", "in flight", "took", ""];
  const rows = results.map(({ name, account, effects, tookMs: ms, failures }): Cell[] => [
    name,
    account.sent,
    account.acked,
    account.refusals,
    account.ingested,
    account.duplicates,
    account.lost.length,
    effects.inFlight,
    seconds(ms),
    failures.join(", ") || "as required",
  ]);
  return [
    `Deliveries by fault, ${seconds(tookMs)} in all`,
    drawTable(head, rows, paint),
    "\nWhat each fault did",
    ...results.map((result) => describeEffects(result, paint)),
  ].join("\n");
}

function describeEffects({ name, title, faultMs, account, effects, notes }: ScenarioResult, paint: Paint): string {
  const { met, qstash, ackMs } = effects;
  const requests = met.qstash + met.entrance;
  const rows: [string, string][] = [
    ["met it", list({ requests, connections: met.cut, processes: effects.ended })],
    ["failed attempts", list(effects.failedAttempts)],
    ["forwards", list(effects.outcomes)],
    ["consumer refused", list(effects.failedIngestions)],
    [
      "QStash",
      list({ deduplicated: qstash.deduplicated, retried: qstash.retried, "dead letters": qstash.deadLetters }),
    ],
    ["events known", list({ "": effects.duplicatesFound })],
    ["Meta was refused", list(effects.refusals)],
    ["and acked later", list({ "": account.ackedLater })],
    ["acks withheld", list({ "": effects.withheld })],
    [
      "handlers",
      list({
        began: effects.handlers.began,
        succeeded: effects.handlers.succeeded,
        "succeeded twice": effects.handlers.succeededTwice,
        "given up": account.work.dead,
      }),
    ],
    ["counted", list(notes)],
    ["ack p50, p99, max", `${ackMs.p50}, ${ackMs.p99}, ${ackMs.max} ms`],
  ];
  const happened = rows.filter(([, value]) => value !== "");
  return `${paint("bold", name)}, for ${seconds(faultMs)}: ${title}\n${alignRows(happened, paint)}`;
}

/** The largest first; what did not happen is left out. */
function list(counts: Counts): string {
  return Object.entries(counts)
    .filter((entry): entry is [string, number] => entry[1] !== undefined && entry[1] > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`.trim())
    .join(", ");
}
