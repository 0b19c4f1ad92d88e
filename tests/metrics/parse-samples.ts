/** A sample of Prometheus's text: its name with its labels, its value and its timestamp, if it has one. */
export interface ParsedSample {
  name: string;
  labels: string;
  value: number;
  atMs: number | null;
}

/** The samples of a scrape by their series. Throws on a line that is neither a comment nor a sample. */
export function parseSamples(text: string): Map<string, ParsedSample> {
  const samples = new Map<string, ParsedSample>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# ")) continue;
    const found = /^([a-z_]+)(\{.*\})? (\S+)(?: (\d+))?$/.exec(line);
    if (found === null) throw new Error(`Not a sample: ${line}`);
    const [, name = "", labels = "", value, at] = found;
    const key = name + labels;
    if (samples.has(key)) throw new Error(`Twice: ${key}`);
    samples.set(key, {
      name,
      labels,
      value: value === "+Inf" ? Infinity : Number(value),
      atMs: at ? Number(at) : null,
    });
  }
  return samples;
}

/**
 * By how much a counter rose over some scrapes, as Prometheus sees it: a sample that is older than the newest is dropped,
 * and a value below the one before is a counter that began again from 0.
 */
export function increaseOf(scrapes: readonly { atMs: number; text: string }[], series: string): number {
  let last: { atMs: number; value: number } | null = null;
  let increase = 0;
  for (const scrape of scrapes) {
    const sample = parseSamples(scrape.text).get(series);
    if (sample === undefined) continue;
    const { value } = sample;
    const atMs = sample.atMs ?? scrape.atMs;
    if (last !== null && atMs <= last.atMs) continue;
    if (last !== null) increase += value >= last.value ? value - last.value : value;
    last = { atMs, value };
  }
  return increase;
}
