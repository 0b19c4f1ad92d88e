import { type Latency, type RuntimeSummary, type Stage, stages } from "#measurements/runtime-comparison.ts";

import { formatCount, formatMs } from "../../format.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Histogram } from "./histogram.tsx";
import styles from "./stages.module.css";

const words: Record<Stage, { name: string; meaning: string }> = {
  ackMs: { name: "Ack", meaning: "handler entry to response" },
  publishMs: { name: "Publish", meaning: "the whole forward to the queue" },
  queueMs: { name: "Queue wait", meaning: "publish accepted to consumer entry" },
  ingestMs: { name: "Ingest", meaning: "consumer entry to commit" },
  handlerMs: { name: "Handler", meaning: "one run of your code" },
  endToEndMs: { name: "End to end", meaning: "Meta’s entry.time to commit" },
  probeMs: { name: "Probe", meaning: "request to response, from the prober" },
};

/** Props of `Stages`. */
export interface StagesProps {
  edge: RuntimeSummary | undefined;
  node: RuntimeSummary | undefined;
}

/** How long each stage takes on both runtimes, as a distribution and in percentiles. */
export function Stages({ edge, node }: StagesProps) {
  const measured = stages.filter((stage) => edge?.[stage] || node?.[stage]);
  return (
    <Panel
      id="stages"
      title="Stages"
      aside={<span className={text["dimmed"]}>shares of each runtime’s measurements</span>}
    >
      {measured.length === 0 ? (
        <p className={text["nothing"]}>No stage was measured in this window.</p>
      ) : (
        <div className={styles["stages"]}>
          {measured.map((stage) => {
            const { name, meaning } = words[stage];
            return (
              <section key={stage} className={styles["stage"]} aria-labelledby={`stage-${stage}`}>
                <h3 id={`stage-${stage}`} className={styles["name"]}>
                  {name} <span>{meaning}</span>
                </h3>
                <Percentiles name={name} edge={edge?.[stage] ?? null} node={node?.[stage] ?? null} />
                <Histogram name={name} edge={edge?.histograms[stage] ?? []} node={node?.histograms[stage] ?? []} />
              </section>
            );
          })}
        </div>
      )}
    </Panel>
  );
}

function Percentiles({ name, edge, node }: { name: string; edge: Latency | null; node: Latency | null }) {
  return (
    <ScrollBox label={`${name}, percentiles`}>
      <table className={`${tables["table"]} ${styles["percentiles"]}`}>
        <caption>Percentiles of {name}</caption>
        <thead>
          <tr>
            <th scope="col">Runtime</th>
            {["p50", "p95", "p99", "Max", "Count"].map((head) => (
              <th key={head} scope="col" data-numeric>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[
            { runtime: "edge", latency: edge },
            { runtime: "nodejs", latency: node },
          ].map(({ runtime, latency }) => (
            <tr key={runtime}>
              <th scope="row">
                <RuntimeMark runtime={runtime} />
              </th>
              <td data-numeric>{formatMs(latency?.p50)}</td>
              <td data-numeric>{formatMs(latency?.p95)}</td>
              <td data-numeric>{formatMs(latency?.p99)}</td>
              <td data-numeric>{formatMs(latency?.max)}</td>
              <td data-numeric>{formatCount(latency?.count ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
