import type { RuntimeComparison } from "#measurements/runtime-comparison.ts";

import { formatCount, formatMs } from "../format.ts";
import { RuntimeMark } from "./badges.tsx";
import styles from "./dashboard.module.css";
import { Panel, ScrollBox } from "./panel.tsx";

const metrics = [
  { key: "ackMs", name: "Ack", meaning: "handler entry to response" },
  { key: "publishMs", name: "Publish", meaning: "the whole forward to QStash" },
  { key: "queueMs", name: "Queue", meaning: "publish accepted to consumer entry" },
  { key: "ingestMs", name: "Ingest", meaning: "consumer entry to commit" },
  { key: "endToEndMs", name: "End to end", meaning: "Meta’s entry.time to commit" },
] as const;

/** Every latency of both runtimes, in the order of the stages. */
export function LatencyTable({ comparison }: { comparison: RuntimeComparison }) {
  return (
    <Panel id="latencies" title="Latencies by stage">
      <ScrollBox label="Latencies by stage">
        <table className={styles["table"]}>
          <caption>Percentiles of each stage on each runtime; a dash means that nothing was measured</caption>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Runtime</th>
              {["p50", "p95", "p99", "Max", "Count"].map((name) => (
                <th key={name} scope="col" data-numeric>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {metrics.map(({ key, name, meaning }) => (
            <tbody key={key}>
              {comparison.runtimes.map((summary, index) => {
                const latency = summary[key];
                return (
                  <tr key={summary.runtime}>
                    {index === 0 && (
                      <th scope="rowgroup" rowSpan={comparison.runtimes.length}>
                        {name}
                        <span className={styles["meaning"]}>{meaning}</span>
                      </th>
                    )}
                    <td>
                      <RuntimeMark runtime={summary.runtime} />
                    </td>
                    <td data-numeric>{formatMs(latency?.p50)}</td>
                    <td data-numeric>{formatMs(latency?.p95)}</td>
                    <td data-numeric>{formatMs(latency?.p99)}</td>
                    <td data-numeric>{formatMs(latency?.max)}</td>
                    <td data-numeric>{formatCount(latency?.count ?? 0)}</td>
                  </tr>
                );
              })}
            </tbody>
          ))}
        </table>
      </ScrollBox>
    </Panel>
  );
}
