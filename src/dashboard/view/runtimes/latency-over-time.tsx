import type { RuntimeComparison } from "#measurements/runtime-comparison.ts";

import { formatMs } from "../../format.ts";
import { runtimesHref, type RuntimesQuery } from "../../runtimes/runtimes-query.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";
import { DeploymentMarks } from "./deployment-marks.tsx";
import { TimeCharts } from "./time-charts.tsx";

const percentiles = [
  { key: "ackP50", name: "p50" },
  { key: "ackP95", name: "p95" },
  { key: "ackP99", name: "p99" },
] as const;

/** Props of `LatencyOverTime`. */
export interface LatencyOverTimeProps {
  comparison: RuntimeComparison;
  query: RuntimesQuery;
}

/** The percentiles of the ack over time on both runtimes, with deployments as marks, and the same as a table. */
export function LatencyOverTime({ comparison, query }: LatencyOverTimeProps) {
  const { deployments } = comparison;
  const [edge = [], node = []] = (["edge", "nodejs"] as const).map(
    (name) => comparison.runtimes.find(({ runtime }) => runtime === name)?.series,
  );
  const rows = edge.map((point, index) => ({ edge: point, node: node[index] }));
  const measured = rows.filter((row) => row.edge.count + (row.node?.count ?? 0) > 0);
  return (
    <Panel
      id="over-time"
      title="Ack over time"
      aside={<span className={text["dimmed"]}>handler entry to response, UTC</span>}
    >
      {measured.length === 0 ? (
        <p className={text["nothing"]}>No acks were measured in this window.</p>
      ) : (
        <>
          <TimeCharts
            times={edge.map(({ at }) => Date.parse(at) / 1_000)}
            marks={deployments.map(({ firstSeenAt }) => Date.parse(firstSeenAt) / 1_000)}
            charts={percentiles.map(({ key, name }) => ({
              name: `Ack ${name}`,
              edge: edge.map((point) => point[key]),
              node: edge.map((_, index) => node[index]?.[key] ?? null),
            }))}
          />
          <noscript>
            <p className={text["note"]}>These charts need JavaScript. Their numbers are in the table.</p>
          </noscript>
          <DeploymentMarks deployments={deployments} hrefOf={(deployment) => runtimesHref({ ...query, deployment })} />
          <details className={text["details"]}>
            <summary>Ack over time as a table</summary>
            <ScrollBox label="Ack over time">
              <table className={tables["table"]}>
                <caption>Percentiles of the ack by interval, newest first</caption>
                <thead>
                  <tr>
                    <th scope="col">From</th>
                    {["Edge", "Node"].flatMap((runtime) =>
                      percentiles.map(({ name }) => (
                        <th key={runtime + name} scope="col" data-numeric>
                          {runtime} {name}
                        </th>
                      )),
                    )}
                  </tr>
                </thead>
                <tbody>
                  {measured.toReversed().map((row) => (
                    <tr key={row.edge.at}>
                      <th scope="row">
                        <Instant iso={row.edge.at} minute />
                      </th>
                      {[row.edge, row.node].flatMap((point, runtime) =>
                        percentiles.map(({ key }) => (
                          <td key={key + String(runtime)} data-numeric>
                            {formatMs(point?.[key])}
                          </td>
                        )),
                      )}
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollBox>
          </details>
        </>
      )}
    </Panel>
  );
}
