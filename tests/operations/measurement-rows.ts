import type { Database } from "#store/connection/database.ts";

/** A measurement as a step of a delivery appends it. */
export interface MeasurementRow {
  at: Date;
  runtime: string;
  region: string | null;
  deployment: string | null;
  cold: boolean;
  times: [metric: string, ms: number, weight: number][];
  deliveries: number;
}

/** Appends measurements, each in a transaction of its own in one statement. */
export async function insertMeasurements(db: Database, rows: readonly MeasurementRow[]): Promise<void> {
  await db.$client.query(
    `insert into relay.measurements (at, runtime, region, deployment, cold, probe, facts)
    select at, runtime, region, deployment, cold, false, facts
    from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::json[]) as u (at, runtime, region, deployment, cold, facts)`,
    [
      rows.map(({ at }) => at),
      rows.map(({ runtime }) => runtime),
      rows.map(({ region }) => region),
      rows.map(({ deployment }) => deployment),
      rows.map(({ cold }) => cold),
      rows.map(({ times, deliveries }) => JSON.stringify({ times, counts: [["deliveries", deliveries]] })),
    ],
  );
}
