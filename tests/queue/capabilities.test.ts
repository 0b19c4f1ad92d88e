import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { queueNames } from "#platform/queue-name.ts";
import { type QueueCapabilities, queueCapabilities } from "#queue/capabilities.ts";

const units = [
  ["day", 24 * 3_600_000],
  ["minute", 60_000],
] as const;

function duration(ms: number): string {
  const [name, unitMs] = units.find(([, unit]) => ms >= unit) ?? units[1];
  const count = ms / unitMs;
  return ms === 0 ? "–" : `${count} ${name}${count === 1 ? "" : "s"}`;
}

const yes = (can: boolean) => (can ? "yes" : "–");

function row(name: string, can: QueueCapabilities): string {
  const cells = [
    `${can.title}, \`${name}\``,
    can.push ? "calls the relay" : "is drained",
    can.bytesMax.toLocaleString("en-US"),
    duration(can.delayMaxMs),
    duration(can.dedupWindowMs),
    yes(can.deadLetters),
    yes(can.attemptLog),
    yes(can.cancel),
    yes(can.pause),
    yes(can.schedule),
  ];
  return `| ${cells.join(" | ")} |`;
}

test("docs/QUEUES.md has the table of capabilities", () => {
  const heads =
    "queue, delivery, largest batch (bytes), longest delay, same id dropped for, own dead letters, log of attempts, take back, pause, schedule";
  const columns = heads.split(", ");
  const rows = [
    `| ${columns.join(" | ")} |`,
    `|${" --- |".repeat(columns.length)}`,
    ...queueNames.map((name) => row(name, queueCapabilities[name])),
  ];
  const page = readFileSync(new URL("../../docs/QUEUES.md", import.meta.url), "utf8");
  const section = page.split("## What they can do\n")[1]?.split("\n## ")[0] ?? "";
  expect(section.split("\n").filter((line) => line.startsWith("|"))).toEqual(rows);
});
