import type { PoolClient } from "pg";

/** What a figure is of: the columns of `measurement_series`. */
export interface SeriesRow {
  metric: string;
  runtime: string;
  region: string;
  deployment: string;
  cold: string;
  kind: string;
  label: string;
}

/** A sum to add to the figure of a series in one interval of a tier. */
export interface FigureToAdd extends SeriesRow {
  tier: string;
  atMs: number;
  count: number;
  /** Null for what is only counted. */
  histogram: {
    sumMs: number;
    maxMs: number;
    within250: number;
    within1000: number;
    within5000: number;
    /** As `buckets` of `figures`. */
    buckets: Uint8Array;
  } | null;
}

/** A series that has figures. */
export interface KnownSeries extends SeriesRow {
  id: number;
  /** The start of the first minute that it has a measurement of. */
  firstAtMs: number;
}

const columns = ["metric", "runtime", "region", "deployment", "cold", "kind", "label"] as const;

/** All series. Rejects with the driver's error. */
export async function readSeries(client: PoolClient): Promise<KnownSeries[]> {
  const { rows } = await client.query<KnownSeries>(
    `select id, (extract(epoch from first_at) * 1000)::float8 as "firstAtMs", ${columns.join(", ")} from relay.measurement_series`,
  );
  return rows;
}

/** One encoding of the sum of two, the stored one first, of a figure. Must not throw if the stored one is damaged. */
export type MergeBuckets = (encoded: readonly [Uint8Array, Uint8Array], of: FigureToAdd) => Uint8Array;

/**
 * Adds sums to the figures, in the transaction under way, which must hold the figures' lock; a series and interval must not
 * occur twice. Rejects with the driver's error.
 */
export async function addFigures(
  client: PoolClient,
  figures: readonly FigureToAdd[],
  known: readonly KnownSeries[],
  mergeBuckets: MergeBuckets,
): Promise<void> {
  const ids = await placeSeries(client, figures, known);
  const rows = figures
    .flatMap((figure) => {
      const seriesId = ids.get(keyOf(figure));
      return seriesId === undefined ? [] : [{ ...figure, seriesId }];
    })
    .toSorted((a, b) => a.seriesId - b.seriesId || a.atMs - b.atMs);
  const intervals = [rows.map(({ tier }) => tier), rows.map(({ seriesId }) => seriesId), rows.map(({ atMs }) => atMs)];
  const { rows: stored } = await client.query<{ place: number; buckets: Uint8Array }>(
    `select place::integer, f.buckets
    from unnest($1::text[], $2::integer[], $3::float8[]) with ordinality u (tier, series_id, at_ms, place)
    join relay.figures f on (f.tier, f.series_id, f.at) = (u.tier, u.series_id, to_timestamp(at_ms / 1000))
    where f.buckets is not null`,
    intervals,
  );
  const storedAt = new Map(stored.map(({ place, buckets }) => [place - 1, buckets]));
  await client.query(
    `insert into relay.figures as f (tier, series_id, at, count, sum_ms, max_ms, within_250, within_1000, within_5000, buckets)
    select tier, series_id, to_timestamp(at_ms / 1000), count, sum_ms, max_ms, within_250, within_1000, within_5000, buckets
    from unnest($1::text[], $2::integer[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[], $10::bytea[])
      as u (tier, series_id, at_ms, count, sum_ms, max_ms, within_250, within_1000, within_5000, buckets)
    on conflict (tier, series_id, at) do update set
      count = f.count + excluded.count, sum_ms = f.sum_ms + excluded.sum_ms, max_ms = greatest(f.max_ms, excluded.max_ms),
      within_250 = f.within_250 + excluded.within_250, within_1000 = f.within_1000 + excluded.within_1000,
      within_5000 = f.within_5000 + excluded.within_5000, buckets = excluded.buckets`,
    [
      ...intervals,
      rows.map(({ count }) => count),
      rows.map(({ histogram }) => histogram?.sumMs),
      rows.map(({ histogram }) => histogram?.maxMs),
      rows.map(({ histogram }) => histogram?.within250),
      rows.map(({ histogram }) => histogram?.within1000),
      rows.map(({ histogram }) => histogram?.within5000),
      rows.map((row, index) => {
        if (row.histogram === null) return null;
        const before = storedAt.get(index);
        const { buckets } = row.histogram;
        return before === undefined ? buckets : mergeBuckets([before, buckets], row);
      }),
    ],
  );
}

/** The ids of the series by their keys; new ones are made. */
async function placeSeries(
  client: PoolClient,
  figures: readonly FigureToAdd[],
  known: readonly KnownSeries[],
): Promise<Map<string, number>> {
  const ids = new Map(known.map((series) => [keyOf(series), series.id]));
  const firstMs = new Map(known.map((series) => [keyOf(series), series.firstAtMs]));
  const changed = new Map<string, { series: SeriesRow; atMs: number }>();
  for (const figure of figures) {
    const key = keyOf(figure);
    if (figure.tier !== "minute" || figure.atMs >= (firstMs.get(key) ?? Infinity)) continue;
    firstMs.set(key, figure.atMs);
    changed.set(key, { series: figure, atMs: figure.atMs });
  }
  if (changed.size === 0) return ids;
  const rows = [...changed.values()];
  const { rows: placed } = await client.query<SeriesRow & { id: number }>(
    `insert into relay.measurement_series as s (${columns.join(", ")}, first_at)
    select ${columns.join(", ")}, to_timestamp(first_ms / 1000)
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[])
      as u (${columns.join(", ")}, first_ms)
    on conflict (${columns.join(", ")}) do update set first_at = least(s.first_at, excluded.first_at)
    returning id, ${columns.join(", ")}`,
    [...columns.map((name) => rows.map(({ series }) => series[name])), rows.map(({ atMs }) => atMs)],
  );
  for (const row of placed) ids.set(keyOf(row), row.id);
  return ids;
}

function keyOf(series: SeriesRow): string {
  return columns.map((name) => series[name]).join("\0");
}
