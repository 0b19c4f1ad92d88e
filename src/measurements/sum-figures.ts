import { addendsOf, addToFigure, createFigure, type Figure, type Series } from "./figures.ts";
import type { Measurement } from "./measurement.ts";

/** The tiers with the length of their intervals; `total` is of all time. */
export const tiers = { minute: 60_000, hour: 3_600_000, day: 86_400_000, total: Infinity } as const;
export type Tier = keyof typeof tiers;

/** A figure of one series in one interval of a tier. */
export interface SummedFigure extends Series, Figure {
  tier: Tier;
  /** The interval's start; 0 for `total`. */
  atMs: number;
}

/** Above this many series no deployment gets its own, and further regions, kinds and labels are summed up as `other`. */
const seriesMax = 5_000;

/**
 * Sums up measurements by series, in all tiers. Each is in the series of its deployment, and in the one of all
 * deployments, whose `deployment` is empty; `total` has only the latter, because deployments are without number. `known`:
 * the series that there are.
 */
export function sumFigures(
  measurements: readonly Measurement[],
  known: readonly Series[],
  limit = seriesMax,
): SummedFigure[] {
  const places = new Set(known.map(keyOf));
  const admit = (series: Series): Series | null => {
    const key = keyOf(series);
    if (places.has(key)) return series;
    if (places.size >= limit) return series.deployment === "" ? withoutNames(series) : null;
    places.add(key);
    return series;
  };
  const sums = new Map<string, { figure: Omit<SummedFigure, keyof Figure>; sum: Figure }>();
  for (const measurement of measurements) {
    const instants = (Object.entries(tiers) as [Tier, number][]).map(([tier, lengthMs]) => ({
      tier,
      atMs: tier === "total" ? 0 : Math.floor(measurement.atMs / lengthMs) * lengthMs,
    }));
    for (const { count, ms, ...ofDeployment } of addendsOf(measurement)) {
      for (const deployment of new Set(["", ofDeployment.deployment])) {
        const series = admit({ ...ofDeployment, deployment });
        if (series === null) continue;
        for (const { tier, atMs } of instants) {
          if (tier === "total" && deployment !== "") continue;
          const key = `${tier} ${atMs} ${keyOf(series)}`;
          let entry = sums.get(key);
          if (entry === undefined) sums.set(key, (entry = { figure: { ...series, tier, atMs }, sum: createFigure() }));
          addToFigure(entry.sum, count, ms);
        }
      }
    }
  }
  return [...sums.values()].map(({ figure, sum }) => ({ ...figure, ...sum }));
}

function withoutNames(series: Series): Series {
  const other = (name: string) => (name === "" ? "" : "other");
  return { ...series, region: other(series.region), kind: other(series.kind), label: other(series.label) };
}

function keyOf({ metric, runtime, region, deployment, cold, kind, label }: Series): string {
  return [metric, runtime, region, deployment, cold, kind, label].join("\0");
}
