import type { Database } from "#store/database.ts";
import { readMetricTotals, readOpenTotals, readOperationTotals } from "#store/metric-totals.ts";

import { counterFamilies } from "./counter-families.ts";
import { openFamilies, operationFamilies } from "./gauge-families.ts";
import { createHistogramFamilies } from "./histogram-families.ts";
import type { MetricsPart } from "./read-metrics.ts";

/** The parts of the metrics, each read by one statement of at most a second. */
export function createMetricsParts(openReads: () => Database): MetricsPart[] {
  const histogramFamilies = createHistogramFamilies();
  return [
    {
      name: "figures",
      async read() {
        const totals = await readMetricTotals(openReads());
        return [...counterFamilies(totals), ...histogramFamilies(totals)];
      },
    },
    { name: "open", read: async () => openFamilies(await readOpenTotals(openReads())) },
    { name: "operations", read: async () => operationFamilies(await readOperationTotals(openReads())) },
  ];
}
