import type { PoolClient } from "pg";

import type { Measurement } from "#measurements/measurement.ts";

import type { Database } from "../connection/database.ts";
import { withStoreErrors } from "../connection/store-error.ts";
import { beginWith, statementTimeoutMs, transact } from "../connection/transaction.ts";
import { addFigures, type FigureToAdd, type KnownSeries, type MergeBuckets, readSeries } from "./add-figures.ts";
import { measurementJson, type MeasurementJson, toMeasurement } from "./measurement-rows.ts";

/** How many measurements one step takes. In the worst case each is of another minute. */
export const rowsPerRollUp = 2_000;

/** The key of the advisory lock under which figures change; an arbitrary constant. */
const figuresLock = 7_340_121;

const begin = beginWith("begin", statementTimeoutMs);

/** The arithmetic of figures. */
export interface Summing {
  /** Sums for the figures, none of them twice. `known`: all series so far. */
  sumUp: (measurements: readonly Measurement[], known: readonly KnownSeries[]) => FigureToAdd[];
  mergeBuckets: MergeBuckets;
}

/**
 * Takes measurements from their table and adds what `sumUp` makes of them to the figures, in one transaction, so that each
 * counts once whatever happens. Resolves with how many it took, at most `rowsPerRollUp`; with 0 also while another call
 * runs. Throws `STORE_UNAVAILABLE`.
 */
export async function rollUpStep(db: Database, { sumUp, mergeBuckets }: Summing): Promise<number> {
  const taken = await changeFigures(db, async (client) => {
    const { rows } = await client.query<{ row: MeasurementJson }>(
      `delete from relay.measurements
      where ctid = any (array(select ctid from relay.measurements limit ${rowsPerRollUp}))
      returning ${measurementJson} as row`,
    );
    if (rows.length === 0) return 0;
    const known = await readSeries(client);
    await addFigures(
      client,
      sumUp(
        rows.map(({ row }) => toMeasurement(row)),
        known,
      ),
      known,
      mergeBuckets,
    );
    return rows.length;
  });
  return taken ?? 0;
}

/** Runs `work` in a transaction while nothing else changes figures; resolves with undefined if something does. Throws `STORE_UNAVAILABLE`. */
export async function changeFigures<T>(db: Database, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
  return withStoreErrors(() =>
    transact(db.$client, begin, async (client) => {
      const { rows } = await client.query<{ locked: boolean }>(
        `select pg_try_advisory_xact_lock(${figuresLock}) as locked`,
      );
      return rows[0]?.locked === true ? work(client) : undefined;
    }),
  );
}
