import type { RuntimeComparison, RuntimeSummary } from "#measurements/runtime-comparison.ts";
import { runtimes } from "#platform/delivery.ts";

import { formatAxisTime, formatCount, formatInstant, formatMs } from "../format.ts";
import styles from "./dashboard.module.css";
import { PercentileChart, SeriesChart } from "./latency-charts.tsx";
import { Pair, Panel, ScrollBox } from "./panel.tsx";

/** The ack times of both runtimes as charts, and the series as a table too, for readers who cannot see a chart. */
export function ComparisonCharts({ comparison }: { comparison: RuntimeComparison }) {
  const [edge, node] = runtimes.map((name) => comparison.runtimes.find((summary) => summary.runtime === name));
  const measured = [edge, node].some((summary) => summary?.ackMs);
  const spanMs = Date.parse(comparison.window.to) - Date.parse(comparison.window.from);
  return (
    <Panel id="ack" title="Ack time" aside={<span className={styles["dimmed"]}>handler entry to response</span>}>
      {measured ? (
        <>
          <div className={styles["charts"]}>
            <Pair>
              <PercentileChart
                data={(["p50", "p95", "p99"] as const).map((percentile) => ({
                  percentile,
                  Edge: edge?.ackMs?.[percentile] ?? null,
                  Node: node?.ackMs?.[percentile] ?? null,
                }))}
              />
              <SeriesChart
                data={(edge?.series ?? []).map((point, index) => ({
                  time: formatAxisTime(point.at, spanMs),
                  Edge: point.ackP95,
                  Node: node?.series[index]?.ackP95 ?? null,
                }))}
              />
            </Pair>
          </div>
          <noscript>
            <p className={styles["note"]}>The charts need JavaScript. Their numbers are in the tables below.</p>
          </noscript>
          <SeriesTable edge={edge} node={node} />
        </>
      ) : (
        <p className={styles["nothing"]}>No acks were reported in this window.</p>
      )}
    </Panel>
  );
}

function SeriesTable({ edge, node }: { edge: RuntimeSummary | undefined; node: RuntimeSummary | undefined }) {
  const rows = (edge?.series ?? []).map((point, index) => ({ edge: point, node: node?.series[index] }));
  return (
    <details className={styles["details"]}>
      <summary>The series as a table</summary>
      <ScrollBox label="Ack p95 by interval">
        <table className={styles["table"]}>
          <caption>Ack p95 and deliveries by interval, newest first</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Edge p95</th>
              <th scope="col">Edge deliveries</th>
              <th scope="col">Node p95</th>
              <th scope="col">Node deliveries</th>
            </tr>
          </thead>
          <tbody>
            {rows
              .filter((row) => row.edge.count + (row.node?.count ?? 0) > 0)
              .toReversed()
              .map((row) => (
                <tr key={row.edge.at}>
                  <th scope="row">{formatInstant(row.edge.at).replace(/\.\d+/, "")}</th>
                  <td data-numeric>{formatMs(row.edge.ackP95)}</td>
                  <td data-numeric>{formatCount(row.edge.count)}</td>
                  <td data-numeric>{formatMs(row.node?.ackP95)}</td>
                  <td data-numeric>{formatCount(row.node?.count ?? 0)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </ScrollBox>
    </details>
  );
}
