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

/** Does not change, and belongs to one family: its lines are kept. */
export interface HistogramSample {
  labels: Labels;
  /** How many values are above the limit before and at most this one, by limit. */
  counts: readonly number[];
  sum: number;
}

export type MetricFamily = NumberFamily | HistogramFamily;

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Above this a part of a page is complete. */
const partBytes = 131_072;

/**
 * The families one after another, each with its help and type, as parts in UTF-8: a page of many histograms is megabytes. A
 * family without samples is left out.
 */
export function prometheusParts(families: readonly MetricFamily[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let open: Uint8Array[] = [];
  let bytes = 0;
  for (const lines of families.filter(({ samples }) => samples.length > 0).flatMap(familyLines)) {
    open.push(lines);
    bytes += lines.byteLength;
    if (bytes < partBytes) continue;
    parts.push(Buffer.concat(open));
    [open, bytes] = [[], 0];
  }
  return [...parts, Buffer.concat(open)];
}

function familyLines(family: MetricFamily): Uint8Array[] {
  const { name, type, help, atMs } = family;
  const end = atMs === undefined ? "\n" : ` ${Math.round(atMs)}\n`;
  const head = Buffer.from(`# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n`);
  return [head, ...(family.type === "histogram" ? histogramLines(family, end) : [numberLines(family, end)])];
}

function numberLines({ name, samples }: NumberFamily, end: string): Uint8Array {
  const lines = samples.map(({ labels, value }) => `${name}${inBraces(labelText(labels))} ${numberText(value)}${end}`);
  return Buffer.from(lines.join(""));
}

/** The lines of samples without a time of their own: most samples of a page are those of the page before. */
const knownLines = new WeakMap<HistogramSample, Uint8Array>();

function histogramLines({ name, limits, samples }: HistogramFamily, end: string): Uint8Array[] {
  const isKeepable = end === "\n";
  return samples.map((sample) => {
    const known = isKeepable ? knownLines.get(sample) : undefined;
    if (known !== undefined) return known;
    const lines = Buffer.from(sampleLines(name, limits, sample, end));
    if (isKeepable) knownLines.set(sample, lines);
    return lines;
  });
}

function sampleLines(
  name: string,
  limits: readonly string[],
  { labels, counts, sum }: HistogramSample,
  end: string,
): string {
  const pairs = labelText(labels);
  let below = 0;
  let rest = `0${end}`;
  const buckets = limits.map((limit, index) => {
    const count = counts[index] ?? 0;
    // A count is written as text once.
    if (count !== 0) rest = `${(below += count)}${end}`;
    return `${limit}"} ${rest}`;
  });
  const start = `${name}_bucket{${pairs}${pairs === "" ? "" : ","}le="`;
  const all = inBraces(pairs);
  return `${["", ...buckets].join(start)}${name}_sum${all} ${numberText(sum)}${end}${name}_count${all} ${rest}`;
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
