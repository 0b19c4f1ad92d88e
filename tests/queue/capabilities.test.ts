import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { queueNames } from "#platform/queue-name.ts";
import { type QueueCapabilities, queueCapabilities } from "#queue/capabilities.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

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
  const page = readFileSync(join(root, "docs/QUEUES.md"), "utf8");
  const section = page.split("## What they can do\n")[1]?.split("\n## ")[0] ?? "";
  expect(section.split("\n").filter((line) => line.startsWith("|"))).toEqual(rows);
});

/** QStash was the first, and Postgres lies in the store: both have some of these files elsewhere. */
const byRecipe = queueNames.filter((name) => name !== "qstash" && name !== "postgres");

test.each(byRecipe)("%s has every file that docs/CONTRIBUTING.md asks of a new queue", (name) => {
  const page = readFileSync(join(root, "docs/CONTRIBUTING.md"), "utf8");
  const steps = (page.split("### Add a queue\n")[1]?.split("\n### ")[0] ?? "").split(/\n(?=\d+\. )/).slice(1);
  const other = queueCapabilities[name].push ? "If it is **pulled**" : "If it **pushes**";
  const files = steps
    .filter((step) => !step.includes(other))
    .flatMap((step) => [...step.matchAll(/`((?:src|app|tests)\/[^`]*<name>[^`]*)`/g)].map(([, file = ""]) => file));
  expect(files.length).toBeGreaterThan(5);
  expect(files.map((file) => file.replaceAll("<name>", name)).filter((file) => !existsSync(join(root, file)))).toEqual(
    [],
  );
  expect(readFileSync(join(root, "docs/QUEUES.md"), "utf8")).toContain(`\n## ${queueCapabilities[name].title}\n`);
});
