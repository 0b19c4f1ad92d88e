/** The text format of Prometheus, version 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */

export interface MetricFamily {
  name: string;
  type: "counter" | "gauge" | "histogram";
  help: string;
  samples: readonly MetricSample[];
  /** When the values were read, in milliseconds since the epoch; without it they are of the scrape's own time. */
  atMs?: number;
}

type Labels = Readonly<Record<string, string>>;

export interface MetricSample {
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  suffix?: string;
  /** A label with an empty value is the same as no label, and is left out. */
  labels: Labels;
  /** The upper limit of a histogram's bucket, as a further label. */
  le?: string;
  value: number;
}

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The families one after another, each with its help and type. A family without samples is left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join("");
}

function familyText({ name, type, help, samples, atMs }: MetricFamily): string {
  const at = atMs === undefined ? "" : ` ${Math.round(atMs)}`;
  // The lines of a histogram share their labels.
  const known = new Map<Labels, string>();
  const lines = samples.map(({ suffix = "", labels, le, value }) => {
    let pairs = known.get(labels);
    if (pairs === undefined) known.set(labels, (pairs = labelText(labels)));
    const all = le === undefined ? pairs : `${pairs}${pairs === "" ? "" : ","}le="${le}"`;
    return `${name}${suffix}${all === "" ? "" : `{${all}}`} ${numberText(value)}${at}\n`;
  });
  return `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
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
