import Link from "next/link";

import { formatCount, formatMs } from "../../format.ts";
import type { AckPart } from "../../runtimes/read-ack-parts.ts";
import { runtimesHref, type RuntimesQuery } from "../../runtimes/runtimes-query.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import styles from "./parts.module.css";

/** Props of `Parts`. */
export interface PartsProps {
  parts: readonly AckPart[];
  query: RuntimesQuery;
}

const percentiles = ["p50", "p95", "p99"] as const;

/** The ack by region and start. Each row leads to the page for it alone. */
export function Parts({ parts, query }: PartsProps) {
  const longest = Math.max(0, ...parts.flatMap(({ edge, node }) => [edge?.p95 ?? 0, node?.p95 ?? 0]));
  return (
    <Panel id="parts" title="Ack by region and start">
      {parts.length === 0 ? (
        <p className={text["nothing"]}>No acks were measured in this window.</p>
      ) : (
        <ScrollBox label="Ack by region and start">
          <table className={tables["table"]}>
            <caption>Percentiles of the ack by region and start; a dash means that nothing was measured</caption>
            <thead>
              <tr>
                <th scope="col">Region, start</th>
                <th scope="col">Runtime</th>
                {percentiles.map((name) => (
                  <th key={name} scope="col" data-numeric>
                    {name}
                  </th>
                ))}
                <th scope="col" data-numeric>
                  Count
                </th>
                <th scope="col">p95</th>
              </tr>
            </thead>
            {parts.map(({ region, start, edge, node }) => (
              <tbody key={`${region} ${start}`}>
                {[
                  { runtime: "edge", latency: edge },
                  { runtime: "nodejs", latency: node },
                ].map(({ runtime, latency }, row) => (
                  <tr key={runtime}>
                    {row === 0 && (
                      <th scope="rowgroup" rowSpan={2}>
                        <Link
                          href={runtimesHref({ ...query, region: region ?? "", cold: start ?? "all" })}
                          prefetch={false}
                        >
                          {region ?? "no region"}
                          {start !== null && `, ${start}`}
                        </Link>
                      </th>
                    )}
                    <td>
                      <RuntimeMark runtime={runtime} />
                    </td>
                    {percentiles.map((name) => (
                      <td key={name} data-numeric>
                        {formatMs(latency?.[name])}
                      </td>
                    ))}
                    <td data-numeric>{formatCount(latency?.count ?? 0)}</td>
                    <td className={styles["barCell"]}>
                      <svg className={styles["bar"]} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden>
                        <rect
                          data-runtime={runtime}
                          width={longest === 0 ? 0 : (100 * (latency?.p95 ?? 0)) / longest}
                          height="8"
                        />
                      </svg>
                    </td>
                  </tr>
                ))}
              </tbody>
            ))}
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}
