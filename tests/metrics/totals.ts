import { sql } from "drizzle-orm";

import type { CountMetric, MeasurementFacts, TimeMetric } from "#measurements/measurement.ts";
import { rollUp } from "#operations/roll-up.ts";
import { systemClock } from "#platform/clock.ts";
import type { Database } from "#store/connection/database.ts";

interface Place {
  runtime?: string;
  region?: string;
  deployment?: string;
  cold?: boolean;
  kind?: string;
}

/** Stores a measurement of times in milliseconds, each of this weight. */
export async function measure(
  db: Database,
  metric: TimeMetric,
  times: readonly number[],
  { kind = "", ...place }: Place & { weight?: number } = {},
): Promise<void> {
  const { weight = 1 } = place;
  const facts = { times: times.map((ms) => [metric, ms, weight, kind] as const) };
  await store(db, facts, place, metric === "probe");
}

/** Stores a measurement of something that is only counted. */
export async function count(
  db: Database,
  metric: CountMetric,
  counted: number,
  { label = "", kind = "", ...place }: Place & { label?: string } = {},
): Promise<void> {
  await store(db, { counts: [[metric, counted, label, kind]] }, place, false);
}

async function store(db: Database, facts: MeasurementFacts, place: Place, probe: boolean): Promise<void> {
  const { runtime = "edge", region = null, deployment = null, cold = null } = place;
  await db.execute(sql`
    insert into relay.measurements (at, cold, probe, runtime, region, deployment, facts)
    values (now(), ${cold}, ${probe}, ${runtime}, ${region}, ${deployment}, ${JSON.stringify(facts)}::json)`);
}

/** Adds all measurements to the totals. */
export async function rollUpAll(db: Database): Promise<void> {
  await rollUp(db, systemClock, Infinity);
}

/** Measures everything that the relay does, so that every metric has a sample, and rolls it up. */
export async function measureEverything(db: Database): Promise<void> {
  for (const metric of ["ack", "publish", "queue", "ingest", "endToEnd", "probe"] as const) {
    await measure(db, metric, [0, 3.2, 250, 70_000], { region: "fra1", cold: false, deployment: "dpl_1" });
  }
  await measure(db, "handler", [12], { kind: "message" });
  await count(db, "outcome", 10, { label: "published" });
  await count(db, "outcome", 1, { label: "lost" });
  await count(db, "correction", 1, { label: "published" });
  await count(db, "events", 12, { label: "inserted", kind: "message" });
  await count(db, "events", 2, { label: "duplicate", kind: "message" });
  await count(db, "duplicates", 2, { label: "delivery" });
  await count(db, "refusal", 3, { label: "SIGNATURE_INVALID" });
  await count(db, "error", 3, { label: "PUBLISH_TIMEOUT" });
  await count(db, "publishTimeouts", 3);
  await count(db, "handlerFailure", 1, { kind: "message", label: 'Odd"Error\\' });
  await count(db, "handlerRetry", 1, { kind: "message" });
  await rollUpAll(db);
  await db.execute(sql`
    insert into relay.maintenance_parts (name, ran_at, ms, result) values
      ('pause', now() - interval '1 minute', 0, '{"paused":true}'), ('sweep', now() - interval '2 minutes', 1, '{}')`);
}
