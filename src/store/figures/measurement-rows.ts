import type { Measurement, MeasurementFacts } from "#measurements/measurement.ts";

/** A row of `measurements` as `measurementJson` selects it. */
export type MeasurementJson = [
  atMs: number,
  runtime: string,
  region: string | null,
  deployment: string | null,
  cold: boolean | null,
  probe: boolean,
  facts: MeasurementFacts,
  firstFacts: MeasurementFacts | null,
  ingestMs: number | null,
  inserted: Record<string, number> | null,
];

/** SQL: a row of `measurements` as a JSON array. */
export const measurementJson = `json_build_array((extract(epoch from at) * 1000)::float8, runtime, region, deployment, cold, probe,
  facts, first_facts, ingest_ms, inserted)`;

/** The measurement of a row; this release or an older one has written its facts. */
export function toMeasurement(row: MeasurementJson): Measurement {
  const [atMs, runtime, region, deployment, cold, probe, facts, firstFacts, ingestMs, inserted] = row;
  const known = runtime === "edge" || runtime === "nodejs" ? runtime : null;
  return { atMs, runtime: known, region, deployment, cold, probe, facts, firstFacts, ingestMs, inserted };
}
