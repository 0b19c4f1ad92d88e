import * as v from "valibot";

import { fetchWithin, type Network } from "#platform/bounded-fetch.ts";
import { parseJson } from "#platform/parse-json.ts";
import type { Database } from "#store/connection/database.ts";
import { readMetricTotals, readOpenTotals, readOperationTotals, readStartMs } from "#store/figures/metric-totals.ts";

import { counterFamilies } from "../counter-families.ts";
import { openFamilies, operationFamilies } from "../gauge-families.ts";
import { otlpJson } from "./otlp-json.ts";
import type { OtlpTarget } from "./otlp-target.ts";

export interface PushMetricsOptions extends Network {
  db: Database;
  target: OtlpTarget;
  /** What the metrics are of, as OpenTelemetry names it. */
  resource: Readonly<Record<string, string>>;
}

const rejectedSchema = v.object({
  partialSuccess: v.object({
    rejectedDataPoints: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.safeInteger(), v.minValue(0)),
  }),
});

/**
 * Sends what `/api/metrics` shows to an OpenTelemetry collector, once. Resolves with how many metrics were sent and how many
 * points the collector rejected. The values are sums of all time, so a push that failed is made up for by the next. Throws
 * if the collector does not take them in time, and `STORE_UNAVAILABLE`.
 */
export async function pushMetrics({ db, target, resource, ...network }: PushMetricsOptions) {
  const totals = await readMetricTotals(db);
  const gauges = [...openFamilies(await readOpenTotals(db)), ...operationFamilies(await readOperationTotals(db))];
  const atMs = network.clock.nowMs();
  const startMs = Math.min((await readStartMs(db)) ?? atMs, atMs);
  const body = otlpJson({ families: [...counterFamilies(totals), ...gauges], totals, atMs, startMs, resource });
  const init = {
    method: "POST",
    headers: { ...target.headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const { status, text } = await fetchWithin(target.timeoutMs, target.url, init, network);
  if (status < 200 || status > 299) throw new Error(`The collector answered ${status}`);
  const answer = v.safeParse(rejectedSchema, parseJson(text));
  return {
    sent: body.resourceMetrics[0]?.scopeMetrics[0]?.metrics.length ?? 0,
    rejected: answer.success ? answer.output.partialSuccess.rejectedDataPoints : 0,
  };
}
