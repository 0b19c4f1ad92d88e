/** The alert rules and the Grafana dashboard: they parse, and what they ask for is what /api/metrics has. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, test } from "vitest";

import { createMetricsParts } from "#dashboard/metrics/metrics-parts.ts";
import { createMetricsReader } from "#dashboard/metrics/read-metrics.ts";
import type { Database } from "#store/connection/database.ts";

import { createManualClock } from "../support/manual-clock.ts";
import { createRecordingLog } from "../support/recording-log.ts";
import { openTestStore } from "../support/store.ts";
import { parseSamples } from "./parse-samples.ts";
import { hasPromtool, runPromtool } from "./promtool.ts";
import { measureEverything } from "./totals.ts";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const read = (file: string) => readFileSync(docs + file, "utf8");

interface Panel {
  title: string;
  type: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

interface GrafanaDashboard {
  panels: Panel[];
  annotations: { list: { expr: string }[] };
  templating: { list: { name: string; definition?: string }[] };
}

const dashboard = JSON.parse(read("grafana/relay.json")) as GrafanaDashboard;
const panels = dashboard.panels.filter(({ type }) => type !== "row");

/** Every expression with the place that it is from; of Grafana's variables those that stand for a time are filled in. */
const expressions: [place: string, expression: string][] = [
  ...[...read("prometheus/rules.yml").matchAll(/alert: (\w+)\n\s+expr: '(.*)'\n/g)].map(
    ([, alert = "", expression = ""]): [string, string] => [alert, expression],
  ),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...dashboard.annotations.list.map(({ expr }): [string, string] => ["the annotations", expr]),
].map(([place, expression]) => [place, expression.replaceAll(/\$__(rate_interval|range)/g, "5m")]);

/** The names of metrics and of labels that an expression has. Throws if it is no PromQL. */
function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  const names = { metrics: [] as string[], labels: [] as string[] };
  parser.parse(expression).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`No PromQL at ${from}: ${expression}`);
      const text = expression.slice(from, to);
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector") names.metrics.push(text);
      if (type.name === "LabelName") names.labels.push(text);
    },
  });
  return names;
}

/** The metrics of a store that has measured something of everything, with their labels. */
async function readNames(db: Database) {
  await measureEverything(db);
  const { log } = createRecordingLog();
  const reader = createMetricsReader(
    createMetricsParts(() => db, log),
    { clock: createManualClock(), log },
  );
  const samples = [...parseSamples(Buffer.concat(await reader()).toString()).values()];
  const labels = samples.flatMap((sample) =>
    [...sample.labels.matchAll(/[{,](\w+)="/g)].map(([, label = ""]) => label),
  );
  return { metrics: new Set(samples.map(({ name }) => name)), labels: new Set(labels) };
}

test("each rule and each panel asks in PromQL for metrics and labels that there are", async () => {
  const known = await readNames((await openTestStore()).db);
  const unknown = expressions.flatMap(([place, expression]) => {
    const { metrics, labels } = namesIn(expression);
    const missing = [
      ...metrics.filter((name) => !known.metrics.has(name)),
      ...labels.filter((label) => !known.labels.has(label)),
    ];
    return metrics.length === 0 || missing.length > 0 ? [{ place, missing }] : [];
  });
  expect(unknown).toEqual([]);
  const variables = dashboard.templating.list.flatMap(({ definition = "" }) => {
    const found = /^label_values\((\w+), (\w+)\)$/.exec(definition);
    return found === null ? [] : [found];
  });
  expect(variables.length).toBeGreaterThan(2);
  const strange = variables.filter(
    ([, metric = "", label = ""]) => !known.metrics.has(metric) || !known.labels.has(label),
  );
  expect(strange).toEqual([]);
});

test("docs/METRICS.md has a line for every metric, and for no other", async () => {
  const known = await readNames((await openTestStore()).db);
  const documented = [...read("METRICS.md").matchAll(/^\| `(relay_\w+)`/gm)].map(([, name = ""]) => name);
  const families = [...known.metrics].map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  expect([...documented].toSorted()).toEqual([...new Set(families)].toSorted());
});

describe("the rules", () => {
  test("are in docs/METRICS.md, each of them", () => {
    const rules = [...read("prometheus/rules.yml").matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name);
    expect(rules.length).toBeGreaterThan(8);
    const documented = [...read("METRICS.md").matchAll(/^\| `(Relay\w+)`/gm)].map(([, name = ""]) => name);
    expect(documented).toEqual(rules);
    for (const name of rules)
      expect(read("prometheus/rules.test.yml") + read("prometheus/silence.test.yml")).toContain(name);
  });

  test.skipIf(!hasPromtool)("promtool accepts them, and they fire when they should", { timeout: 60_000 }, () => {
    expect(runPromtool(["check", "rules", `${docs}prometheus/rules.yml`])).toBe("");
    const tests = ["rules", "silence"].map((name) => `${docs}prometheus/${name}.test.yml`);
    expect(runPromtool(["test", "rules", ...tests])).toBe("");
  });
});

describe("the Grafana dashboard", () => {
  test("says in one sentence what each panel means, and no panel covers another", () => {
    for (const { title, description } of panels)
      expect([title, description]).toEqual([title, expect.stringMatching(/\.$/)]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells.filter((cell) => Number(cell.split(",")[0]) >= 24)).toEqual([]);
  });
});
