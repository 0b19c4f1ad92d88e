/** The text format of Prometheus, version 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */

interface Family {
  name: string;
  help: string;
  /** When the values were read, in milliseconds since the epoch; without it they are of the scrape's own time. */
  atMs?: number;
}

type Labels = Readonly<Record<string, string>>;

export interface NumberFamily extends Family {
  type: "counter" | "gauge";
  samples: readonly MetricSample[];
}

export interface MetricSample {
  /** A label with an empty value is the same as no label, and is left out. */
  labels: Labels;
  value: number;
}

export interface HistogramFamily extends Family {
  type: "histogram";
  /** The upper limits of the buckets as text, the last one `+Inf`. */
  limits: readonly string[];
  samples: readonly HistogramSample[];
}

export interface HistogramSample {
  labels: Labels;
  /** How many values are above the limit before and at most this one, by limit. */
  counts: readonly number[];
  sum: number;
}

export type MetricFamily = NumberFamily | HistogramFamily;

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The families one after another, each with its help and type. A family without samples is left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join("");
}

function familyText(family: MetricFamily): string {
  const { name, type, help, atMs } = family;
  const end = atMs === undefined ? "\n" : ` ${Math.round(atMs)}\n`;
  const head = `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n`;
  return head + (family.type === "histogram" ? histogramLines(family, end) : numberLines(family, end));
}

function numberLines({ name, samples }: NumberFamily, end: string): string {
  return samples
    .map(({ labels, value }) => `${name}${inBraces(labelText(labels))} ${numberText(value)}${end}`)
    .join("");
}

/** Nearly all lines of a page come from here: one string grows, and a count is written as text once. */
function histogramLines({ name, limits, samples }: HistogramFamily, end: string): string {
  const closings = limits.map((limit) => `${limit}"} `);
  let lines = "";
  for (const { labels, counts, sum } of samples) {
    const pairs = labelText(labels);
    const start = `${name}_bucket{${pairs}${pairs === "" ? "" : ","}le="`;
    let below = 0;
    let rest = `0${end}`;
    for (let index = 0; index < closings.length; index += 1) {
      const count = counts[index] ?? 0;
      if (count !== 0) rest = `${(below += count)}${end}`;
      lines += start + (closings[index] ?? "") + rest;
    }
    const all = inBraces(pairs);
    lines += `${name}_sum${all} ${numberText(sum)}${end}${name}_count${all} ${rest}`;
  }
  return lines;
}

function inBraces(pairs: string): string {
  return pairs === "" ? "" : `{${pairs}}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}="${escape(value).replaceAll('"', '\\"')}"`)
    .join(",");
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
