import type { Log } from "#platform/log.ts";
import type { Database } from "#store/connection/database.ts";
import {
  type MetricTotal,
  readMetricTotals,
  readOpenTotals,
  readOperationTotals,
} from "#store/figures/metric-totals.ts";

import { counterFamilies } from "./counter-families.ts";
import { damagedFamily, openFamilies, operationFamilies } from "./gauge-families.ts";
import { createHistogramFamilies, isIntact } from "./histogram-families.ts";
import type { MetricsPart } from "./read-metrics.ts";

/** The parts of the metrics, each read by one statement of at most a second. */
export function createMetricsParts(openReads: () => Database, log: Log): MetricsPart[] {
  const histogramFamilies = createHistogramFamilies();
  return [
    {
      name: "figures",
      async read() {
        const totals = await readMetricTotals(openReads());
        const damaged = totals.filter((total) => !isIntact(total));
        if (damaged.length > 0) log.error("figures.damaged", describeDamaged(damaged));
        return [...counterFamilies(totals), ...histogramFamilies(totals), damagedFamily(damaged.length)];
      },
    },
    { name: "open", read: async () => openFamilies(await readOpenTotals(openReads())) },
    { name: "operations", read: async () => operationFamilies(await readOperationTotals(openReads())) },
  ];
}

/** The first damaged totals, by which an operator finds them. */
function describeDamaged(damaged: readonly MetricTotal[]) {
  const named = damaged
    .slice(0, 10)
    .map(({ metric, runtime, region, cold, kind }) => ({ metric, runtime, region, cold, kind }));
  return { tier: "total", damaged: damaged.length, figures: named.map((one) => JSON.stringify(one)) };
}
